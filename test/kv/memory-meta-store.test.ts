import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { conformsToMetaStore } from './meta-store-contract.ts';

conformsToMetaStore('MemoryMetaStore', async () => ({
  store: new MemoryMetaStore(),
  discard: async () => {},
}));
