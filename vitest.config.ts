import { defineConfig } from 'vitest/config';

export default defineConfig({
  // What takes four seconds on a quiet machine takes more on one that others use too.
  test: { testTimeout: 30_000 },
});
