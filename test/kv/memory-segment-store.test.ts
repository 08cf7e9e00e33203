import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import { conformsToSegmentStore } from './segment-store-contract.ts';

conformsToSegmentStore('MemorySegmentStore', async () => ({
  store: new MemorySegmentStore(),
  discard: async () => {},
}));
