// Rules that look right and are wrong, which the models of src/fs cannot see: what is above or below them, or of no kind
// that they make. Each is found by the test of what it breaks. In brackets the names in reference/store-review.md.

export interface WrongRule {
  readonly rule: string;
  /** A file of src/. */
  readonly file: string;
  /** What it says now, once, and what it says instead. */
  readonly changes: readonly (readonly [text: string, instead: string])[];
  /** The file of the test, and a part of its name. */
  readonly test: string;
  readonly name: string;
}

export const WRONG_RULES: readonly WrongRule[] = [
  {
    rule: 'the way up from the target of a rename is as the last applied batch left it (L9)',
    file: 'fs/ops/check-move.ts',
    changes: [
      [
        "import type { Turn } from '../turn.ts';\n",
        "import type { Turn } from '../turn.ts';\n" +
          "import { keys } from '../../kv/keys.ts';\n" +
          "import { decodeInode } from '../inode-codec.ts';\n",
      ],
      [
        'directory = namedInode(records, directory.ino, parentOf(directory));',
        'const above = parentOf(directory);\n' +
          'directory = decodeInode(above, records.store.committed(keys.inode.key(tree.id, above))!);\n' +
          'void namedInode;',
      ],
    ],
    test: 'fs/ops/rename.test.ts',
    name: 'sees on the way up from its target',
  },
  {
    rule: 'the sync of a new segment makes its name durable too (L13)',
    file: 'kv/file-segment-writer.ts',
    changes: [['[this.#file.datasync(), this.#naming]', '[this.#file.datasync()]']],
    test: 'kv/file-segment-store.test.ts',
    name: 'is not synced before its name is durable',
  },
  {
    rule: 'what LevelDB returns is what was written (L17)',
    file: 'fs/versioned-value.ts',
    changes: [['if (found !== expected) throw', 'if (found !== found) throw']],
    test: 'golden/damage.test.ts',
    name: 'of a record is an I/O error',
  },
  {
    rule: 'what only trees without a name show counts for nobody (K7)',
    file: 'snapshots/space-charges.ts',
    changes: [['byTrees.set(oldest, (byTrees.get(oldest) ?? 0) + bytes);', 'void oldest;']],
    test: 'snapshots/accounting.test.ts',
    name: 'is charged to the clone that alone still needs it',
  },
];
