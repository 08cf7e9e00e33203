// Rules of snapshots, clones and deletion that look right and are wrong, each as what the source would say if it
// followed it. In brackets their names in reference/store-model-2.py and store-review.md, where they have one.

import type { WrongRule } from '../../fs/model/wrong-rules.ts';

export interface WrongSnapshotRule extends WrongRule {
  /** A seed that found it; the search begins there. */
  readonly seed: number;
}

const DROPPED_TREES = '../datasets/dropped-trees.ts';

export const WRONG_RULES: readonly WrongSnapshotRule[] = [
  {
    rule: 'a frame dies with a version, whoever else names it',
    file: 'visit.ts',
    text: 'for (const { value } of after) for (const id of framesIn(value).keys()) named.add(id);',
    instead: 'void named;',
    seed: 1,
  },
  {
    rule: 'a frame dies unless the version born at the death of another names it (L4)',
    file: 'visit.ts',
    text: 'for (const { value } of after) for',
    instead: 'for (const { value, birth } of after) if (gone.some(({ death }) => death === birth)) for',
    seed: 3,
  },
  {
    rule: 'overwrite or history is decided by what was kept before the batch (L5)',
    file: 'versioning.ts',
    text: 'const lastKept = generations.lastKept(generation);',
    instead: 'const lastKept = tree.generations.lastKept(generation);',
    seed: 10,
  },
  {
    rule: 'the first row of HISTORY behind the place is one of the key, whatever kind and key it has (L6)',
    file: 'versions-at.ts',
    text: 'const { lt } = keys.history.range(this.tree.id, kind, rest);',
    instead: 'const { lt } = keys.history.range(this.tree.id);',
    seed: 1,
  },
  {
    rule: 'a clone gives inode numbers from the first on (L7)',
    file: 'open-dataset.ts',
    text: 'ROOT_INO + 1, storedInos)',
    instead: 'ROOT_INO + 1, dataset === 1 ? storedInos : undefined)',
    seed: 2,
  },
  {
    rule: 'bytes that move from a record into a frame keep their age there (L15)',
    file: 'flush.ts',
    text: `    const sources = packed.flatMap(({ window, frames }) =>
      frames.map(({ payload }) => ({ tree: tree.id, dataId, window, payload, birth })),`,
    instead: `    const sources = packed.flatMap(({ window, frames }, at) =>
      frames.map(({ payload }) => ({ tree: tree.id, dataId, window, payload, birth: windows[at]!.carried.length > 0 ? Math.max(1, birth - 1) : birth })),`,
    seed: 1,
  },
  {
    rule: 'behind the last kept generation of a headless tree only the notes up to the next one count (K1)',
    file: 'sweep.ts',
    text: 'if (next === undefined && !generations.hasHead) return { from: older + 1, to: generations.current };',
    instead: '',
    seed: 2,
  },
  {
    rule: 'a detach does not let go of what the tree was cloned from (K2)',
    file: 'detach/release-parent.ts',
    text: '  for (const held of holds)\n    stageRelease(',
    instead: '  for (const held of [] as typeof holds)\n    stageRelease(',
    seed: 1,
  },
  {
    rule: 'notes never go (K3)',
    file: 'visit.ts',
    text: 'for (const gap of generations.gaps) shrinkNotes(batch, tree, key, gap, notes, after);',
    instead: 'void shrinkNotes;',
    seed: 1,
  },
  {
    rule: 'rows of the space accounting stay when a kept generation goes (K5)',
    file: 'kept-generation.ts',
    text: 'accountLeave(batch, tree, generation, left);',
    instead: '',
    seed: 1,
  },
  {
    rule: 'a frame that moves again is forwarded from where it was moved to (K6)',
    file: 'live-frames.ts',
    text: '      this.forwarded.add(origin.segment);\n      const row = this.forwardRow(batch, origin.segment, origin.index)!;\n',
    instead:
      '      this.forwarded.add(segment);\n      const row = this.forwardRow(batch, segment, index)!;\n',
    seed: 2,
  },
  {
    rule: 'a row that leads to a moved frame stays when the frame dies (K6)',
    file: 'live-frames.ts',
    text: '    putForward(batch, row.key, withoutPlace(row.record, frame.index));\n',
    instead: '    void withoutPlace;\n',
    seed: 1,
  },
  {
    rule: 'rows of the space accounting stay when a head goes',
    file: 'kept-generation.ts',
    text: 'accountLeave(batch, tree, HEAD, left);',
    instead: 'void HEAD;',
    seed: 2,
  },
  {
    rule: 'what is kept is charged to the present alone',
    file: 'kept-generation.ts',
    text: '  accountKeep(batch, tree, generation);\n',
    instead: '  void accountKeep;\n',
    seed: 1,
  },
  {
    rule: 'a visit does not count anew',
    file: 'visit.ts',
    text: 'accountVisit(batch, tree, before, after);',
    instead: 'void accountVisit;',
    seed: 1,
  },
  {
    rule: 'an overwrite in place has the birth of its generation (keepbirth)',
    file: 'versioning.ts',
    text: 'const birth = inPlace ? old.birth : generation;',
    instead: 'const birth = generation;',
    seed: 14,
  },
  {
    rule: 'what was temporary leaves its note',
    file: 'versioning.ts',
    text: '  if (inPlace) forgetTemporary(batch, tree, write, old.birth);\n',
    instead: '',
    seed: 2,
  },
  {
    rule: 'what was temporary takes the note of an older death along',
    file: 'versioning.ts',
    text: '  if (batch.row(keyId(older), older) !== undefined) return;\n',
    instead: '  void older;\n',
    seed: 3,
  },
  {
    rule: 'of two notes always the newer stays (keepdeath)',
    file: 'visit.ts',
    text: '(olderVersion?.death ?? nextVersion?.birth)',
    instead: 'notes.at(-1)',
    seed: 27,
  },
  {
    rule: 'the fork does not count as an older kept generation (shrinkfork)',
    file: 'visit.ts',
    text: 'const older = gap.older < 0 && tree.parent ? 0 : gap.older;',
    instead: 'const { older } = gap;',
    seed: 2,
  },
  {
    rule: 'the deletion of the oldest kept generation visits only what was touched after it',
    file: 'sweep.ts',
    text: 'hasOlder ? generation + 1 : 0',
    instead: 'hasOlder ? generation + 1 : generation + 1',
    seed: 12,
  },
  {
    rule: 'what only a lost head showed goes with its last kept generation',
    file: DROPPED_TREES,
    text: 'if (!(await this.sweeps.sweepHead(tree))) return false;\n',
    instead: '',
    seed: 2,
  },
  {
    rule: 'a deletion in a clone leaves nothing',
    file: 'turn.ts',
    text: '? whiteout() : null',
    instead: '? null : whiteout() && null',
    seed: 3,
  },
  {
    rule: 'a write frees a frame that a kept generation names',
    file: 'versioning.ts',
    text: '!frame.inherited && frame.birth > lastKept && !',
    instead: '!frame.inherited && !',
    seed: 1,
  },
  {
    rule: 'a clone frees what it inherits',
    file: 'versioning.ts',
    text: '!frame.inherited && frame.birth > lastKept',
    instead: 'frame.birth > lastKept',
    seed: 3,
  },
  {
    rule: 'what a clone has copied of a map is its own',
    file: 'records.ts',
    text: 'return found && decode(found, true);',
    instead: 'return found && decode(found, false);',
    seed: 3,
  },
  {
    rule: 'a clone that is gone still holds what it came from',
    file: DROPPED_TREES,
    text: '    this.letGoOfOthers(tree);\n',
    instead: '    void (() => this.letGoOfOthers(tree));\n',
    seed: 2,
  },
  {
    rule: 'a generation that a snapshot was being made of stays kept after a crash',
    file: 'sweep.ts',
    text: 'for (const generation of tree.unfinished) ',
    instead: 'for (const generation of [] as number[]) ',
    seed: 4,
  },
  {
    rule: 'a deletion that a crash has cut short is not gone on with',
    file: 'kept-generation.ts',
    text: '  const left = batch.generations(tree).leave(generation);\n',
    instead:
      '  const row = keys.kept.key(tree.id, generation);\n' +
      '  batch.delete(keyId(row), row);\n' +
      '  const left = batch.generations(tree).leave(generation);\n',
    seed: 10,
  },
  {
    rule: 'a snapshot does not wait for what waits in memory',
    file: 'take-generation.ts',
    text: '    await writeBack.flushAll(tree, generation + 1);\n',
    instead: '    void writeBack;\n',
    seed: 4,
  },
  {
    rule: 'the accept generation goes on when the snapshot is in the store',
    file: 'take-generation.ts',
    text: '  tree.accept = generation + 1;\n',
    instead: '  void store.durable(store.ticket).then(() => {\n    tree.accept = generation + 1;\n  });\n',
    seed: 1,
  },
  {
    rule: 'after a start a headless tree knows by its notes when its versions died',
    file: DROPPED_TREES,
    text: '      tree.newestDeath = tree.generations.current;\n',
    instead: '',
    seed: 8,
  },
  {
    rule: 'a tree given up while others are taken back waits for the next start',
    file: DROPPED_TREES,
    text: 'beheaded: false });\n    this.loop.wake();\n',
    instead: 'beheaded: false });\n    if (this.jobs.length === 1) this.loop.wake();\n',
    seed: 8,
  },
  {
    rule: 'a version is needed by a kept generation that it died in',
    file: 'visit.ts',
    text: 'first !== undefined && first < death',
    instead: 'first !== undefined && first <= death',
    seed: 1,
  },
  {
    rule: 'the first version in HISTORY is the one that died at the generation',
    file: 'versions-at.ts',
    text: 'rest, this.generation + 1)',
    instead: 'rest, this.generation)',
    seed: 1,
  },
  {
    rule: 'a first touch in a clone is not noted before it keeps something',
    file: 'versioning.ts',
    text: 'return kept.length > 0 || parent !== null;',
    instead: 'void parent;\n  return kept.length > 0;',
    seed: 2,
  },
  {
    rule: 'a detach lets go without copies of what is inherited (noown)',
    file: 'detach/detach.ts',
    text: 'while ((await own(parts, tree)) > 0);',
    instead: 'void own;',
    seed: 11,
  },
  {
    rule: 'a detach lets go without flattening',
    file: 'detach/detach.ts',
    text: '  await flattenKeys(parts, tree);\n',
    instead: '  void flattenKeys;\n',
    seed: 8,
  },
  {
    rule: 'a flattened record is born in the current generation (atc)',
    file: 'detach/flatten-key.ts',
    text: 'batch.putVersion(id, key, value, BIRTH);',
    instead: 'batch.putVersion(id, key, value, batch.generations(tree).current);',
    seed: 4,
  },
  {
    rule: 'only the live version of a key becomes its own (ownlive)',
    file: 'detach/own-key.ts',
    text: 'before.map((version) => ownVersion(version, copies, named))',
    instead:
      'before.map((version) => (version.death === NEVER ? ownVersion(version, copies, named) : version))',
    seed: 55,
  },
  {
    rule: 'the whole tree is not swept after a detach (sweep)',
    file: 'sweep.ts',
    text: 'tree.detached && oldest === FORK && ',
    instead: '(false as boolean) && FORK === oldest && ',
    seed: 4,
  },
  {
    rule: 'a tree is taken back before all that was staged in it is in the store',
    file: DROPPED_TREES,
    text: '    const jobs = [...this.jobs];\n    await this.settled();\n',
    instead: '    const jobs = [...this.jobs];\n',
    seed: 7,
  },
  {
    rule: 'a key whose whiteouts go leaves its notes (whitenote)',
    file: 'visit.ts',
    text: '  if (after.length === 0) for (const note of notes) deleteNote(batch, tree, key, note);\n',
    instead: '',
    seed: 388,
  },
  {
    rule: 'what is written over a flattened record keeps its birth, and leaves no note',
    file: 'versioning.ts',
    text: '!isKept && (tree.parent === null || old.birth > FORK)',
    instead: '!isKept && (tree.parent === null || old.birth >= FORK)',
    seed: 4,
  },
];
