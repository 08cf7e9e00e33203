// Messages of the method Diff, as the .proto file has them.

export interface DiffRequestMessage {
  readonly from: string;
  /** Empty: the live dataset of `from`. */
  readonly to: string;
  readonly ranges: boolean;
  readonly watch: boolean;
}

export interface DiffMessage {
  readonly changes: readonly ChangeMessage[];
}

export interface ChangeMessage {
  readonly kind: 'added' | 'removed' | 'modified' | 'renamed';
  readonly type: FileTypeName;
  readonly inode: number;
  readonly path: Buffer;
  /** Empty unless renamed. */
  readonly oldPath: Buffer;
  readonly data: boolean;
  readonly attributes: readonly string[];
  readonly linksBefore?: number;
  readonly linksAfter?: number;
  readonly ranges: readonly { readonly offset: number; readonly length: number }[];
}

export type FileTypeName = 'file' | 'directory' | 'symlink' | 'block' | 'character' | 'socket' | 'fifo';
