// A dataset as its clients see it: one file system, whatever tree is its head.

import type { FileSystem } from '../../../src/fs/file-system.ts';
import type { Item } from '../../../src/fs/item.ts';
import type { OperationContext } from '../../../src/fs/operation.ts';
import type { Tree } from '../../../src/fs/tree.ts';
import type { ClientWorld } from '../../fs/model/client.ts';
import type { Product } from '../../fs/model/product.ts';
import type { Process } from '../../fs/model/world.ts';
import type { VolumeProcess } from './world.ts';

export class Head implements ClientWorld {
  readonly fileSystem: FileSystem;
  readonly operations: OperationContext;
  onStage: (ticket: number, item: Item) => void = () => {};
  private readonly volume: VolumeProcess;

  constructor(
    product: Product,
    volume: VolumeProcess,
    opened: { readonly dataset: number; readonly tree: Tree; readonly inos: Buffer | undefined },
  ) {
    const { dataset, tree, inos } = opened;
    this.volume = volume;
    const { fileSystem, operations } = product.openDataset.openDataset(volume.shared, dataset, tree, inos);
    this.fileSystem = fileSystem;
    this.operations = operations;
  }

  get tree(): Tree {
    return this.operations.records.tree;
  }

  get process(): Process {
    const { store, segmentLog, reclaimer, shared } = this.volume;
    const { tree, fileSystem, operations } = this;
    return { store, segmentLog, reclaimer, writeBack: shared.writeBack, tree, fileSystem, operations };
  }
}
