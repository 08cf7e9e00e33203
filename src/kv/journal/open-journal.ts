// The journal of a volume that is being opened: its two files, and what of them LevelDB has not got.

import { existsSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Write } from '../meta-store.ts';
import { syncDirectory } from '../sync-directory.ts';
import { VolumeError } from '../volume-error.ts';
import { lastSequence, readJournal } from './journal-content.ts';
import { JournalFile, type JournalFileSettings } from './journal-file.ts';

const NAMES = ['a', 'b'] as const;

export interface OpenedJournal {
  readonly files: readonly [JournalFile, JournalFile];
  /** Of each key what was written last: to be brought to LevelDB before the files are used again. */
  readonly rows: readonly Write[];
  /** Of the last batch: later ones go on from it. */
  readonly sequence: number;
}

export interface OpenJournalSettings extends JournalFileSettings {
  /** A missing file is damage. */
  readonly required: boolean;
  /**
   * Ends the journal at the damage instead of refusing, and gives up all of it where it does not follow what LevelDB has.
   * The files stay beside it as NAME.damaged.
   */
  readonly repair: boolean;
  /** The sequence up to which LevelDB has everything; undefined when it does not say. */
  readonly applied: number | undefined;
}

/** @throws VolumeError */
export async function openJournal(
  directory: string,
  { bytes, random, required, repair, applied }: OpenJournalSettings,
): Promise<OpenedJournal> {
  const missing = NAMES.find((name) => !existsSync(join(directory, name)));
  if (required && missing && !repair) throw damaged(directory, `its file ${missing} is missing`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await syncDirectory(dirname(directory));
  const a = await JournalFile.open(join(directory, NAMES[0]), { bytes, random });
  const b = await JournalFile.open(join(directory, NAMES[1]), { bytes, random });
  try {
    await syncDirectory(directory);
    const stored = [a.stored, b.stored];
    const { sequence, batches, damage, isBehindHole } = readJournal(stored, applied);
    if (isBehindHole && !repair) throw behindHole(directory);
    if (damage && !repair)
      throw damaged(directory, `its file ${NAMES[damage.file]} is damaged at byte ${damage.at}`);
    if (damage || isBehindHole) {
      for (const name of NAMES) await copyFile(join(directory, name), join(directory, `${name}.damaged`));
    }
    return {
      files: [a.file, b.file],
      rows: newest(batches),
      // What is behind the damage counts as applied, so that it never comes back.
      sequence: damage || isBehindHole ? lastSequence(stored, sequence) : sequence,
    };
  } catch (error) {
    await Promise.all([a.file.close(), b.file.close()]);
    throw error;
  }
}

function newest(batches: readonly (readonly Write[])[]): Write[] {
  const found = new Map<string, Write>();
  for (const batch of batches) for (const write of batch) found.set(write.key.toString('latin1'), write);
  return [...found.values()];
}

function damaged(directory: string, where: string): VolumeError {
  return new VolumeError(
    'DAMAGED',
    `Cannot open the journal in ${directory}: ${where}. Restore the data directory from a backup, or start with` +
      ' --repair: that would lose the changes from there on, which are those of the last seconds',
    { mendable: true },
  );
}

function behindHole(directory: string): VolumeError {
  return new VolumeError(
    'DAMAGED',
    `Cannot open the journal in ${directory}: it does not follow what LevelDB has, which has lost its last changes. Bring` +
      ' back its files, restore the data directory from a backup, or start with --repair: that would lose the changes in' +
      ' the journal as well, and leave the volume as it was before those that are lost',
    { mendable: true },
  );
}
