// What many files cost: the same steps, in turn, on a volume of ten thousand and on one of many more.

import path from 'node:path';
import { SizedVolume } from './sized-volume.mjs';

const FEW = 10_000;
const READS = ['LOOKUP', 'GETATTR', 'READDIRPLUS'];
/** A deletion makes room for the creation behind it. */
const CHANGES = ['REMOVE', 'CREATE'];
const STEPS = [...READS, ...CHANGES];
const COLD_LIMIT = 2;
const WARM_LIMIT = 1.25;

/** @param perDirectory files of a directory; undefined: all in one */
export async function measureSize({ undo, directory, files, perDirectory, rounds, seconds, coldSteps }) {
  const volumes = [];
  const made = [];
  for (const count of [FEW, files]) {
    const { volume, perSecond } = await SizedVolume.make({
      undo,
      directory: path.join(directory, `${count}-of-${perDirectory ?? count}`),
      files: count,
      perDirectory: perDirectory ?? count,
    });
    volumes.push(volume);
    made.push({ perSecond, residentMiB: volume.residentMiB });
  }
  const warm = await inTurn({
    volumes,
    steps: STEPS,
    rounds: rounds.warm,
    run: (volume, step) => volume.warm(step, seconds),
  });
  const cold = await inTurn({
    volumes,
    steps: coldSteps ?? STEPS,
    rounds: rounds.cold,
    run: (volume, step) => volume.cold(step),
  });
  for (const volume of volumes) await volume.stop();
  return tableOf({ files, perDirectory, rounds, made, warm, cold });
}

/** Of each step and volume the best rate, that of the least disturbed run, and the memory after the last. */
async function inTurn({ volumes, steps, rounds, run }) {
  const results = steps.map((step) => ({ step, of: volumes.map(() => ({ rates: [] })) }));
  for (let round = 0; round < rounds; round++)
    for (const { step, of } of results)
      for (const [index, volume] of volumes.entries()) {
        of[index].rates.push(await run(volume, step));
        of[index].residentMiB = volume.residentMiB;
      }
  return results.map(({ step, of }) => ({
    step,
    of: of.map(({ rates, residentMiB }) => ({ perSecond: Math.max(...rates), residentMiB })),
  }));
}

function tableOf({ files, perDirectory, rounds, made, warm, cold }) {
  const many = files.toLocaleString('en');
  const where = perDirectory ? 'in one dataset' : 'in one directory';
  const slower = ({ of: [few, most] }) => few.perSecond / most.perSecond;
  const row = (what, { of }) => [
    what,
    ...of.map(({ perSecond }) => Math.round(perSecond).toLocaleString('en')),
    slower({ of }).toFixed(2),
    ...of.map(({ residentMiB }) => String(residentMiB)),
  ];
  const worst = (steps) => Math.max(...steps.map(slower));
  return {
    title: `${many} files ${where}`,
    note:
      `Calls, of READDIRPLUS entries, a second beside a volume with ${FEW.toLocaleString('en')}${perDirectory ? `, ${perDirectory} a directory` : ''}; ` +
      `the best of ${rounds.warm}, cold of ${rounds.cold}. Warm: ${FEW.toLocaleString('en')} of them again and again, and whole listings of their directories. Cold: each ` +
      `behind a restart, the system's cache dropped; ${FEW.toLocaleString('en')} from all over, each once, and one listing of everything.`,
    head: ['step', FEW.toLocaleString('en'), many, 'slower', 'RSS MiB', 'RSS MiB'],
    rows: [
      row('CREATE of all', { of: made }),
      ...warm.map((step) => row(`${step.step}, warm`, step)),
      ...cold.map((step) => row(`${step.step}, cold`, step)),
    ],
    limits: [
      { what: `${many} ${where}, warm: slower than few`, measured: worst(warm), atMost: WARM_LIMIT },
      { what: `${many} ${where}, cold: slower than few`, measured: worst(cold), atMost: COLD_LIMIT },
    ],
  };
}
