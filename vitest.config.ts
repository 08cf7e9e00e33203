import { defineConfig } from 'vitest/config';

export default defineConfig({
  // One worker, which is what vitest takes of two cores, makes npm test last a quarter longer.
  // What takes four seconds on a quiet machine takes more on one that others use too.
  test: { testTimeout: 30_000, maxWorkers: 2 },
});
