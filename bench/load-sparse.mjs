// A file of 64 GiB that is nearly all hole: writes at random bytes, reads of what is between them, and whether size,
// allocated bytes and data are right, also behind a restart.

import { commit, create, getattr, mkdir, read, setattr, write } from '../test/rig/nfs-calls.mjs';
import { expect } from '../test/rig/report.mjs';
import { askOnce } from './closed-loop.mjs';
import { readyCall } from './load-calls.mjs';
import { diskMiB, residentMiB } from './process-figures.mjs';

const DATASET = 'sparse';
const SIZE = 64 * 2 ** 30;
const PIECE = 4096;
const DEPTH = 16;
const CHECKED = 500;

export async function measureSparse({ volume, writes }) {
  await volume.call('CreateDataset', { name: DATASET, properties: {} });
  const { client, root } = await volume.mount(DATASET);
  const { file: directory } = await client.must(mkdir(root, 'd'));
  const { file } = await client.must(create(directory, 'big'));
  await client.must(setattr(file, { size: SIZE }));
  const offsets = Array.from({ length: writes }, () => Math.floor(Math.random() * (SIZE - PIECE)));
  const perSecond = (calls) => askOnce({ port: volume.server.port, calls, depth: DEPTH });
  const written = await perSecond(offsets.map((at) => readyCall('write', write(file, at, content(at), 0))));
  await client.must(commit(file));
  await check(client, file, offsets);
  const holes = holesOf(offsets);
  const holesRead = await perSecond(holes.map((at) => readyCall('read', read(file, at, PIECE))));
  const { mib_s: swept } = await volume.load(DATASET, sweep);
  const memory = residentMiB(volume.server.pid);
  client.close();
  await volume.server.stop();
  await volume.server.start();
  const again = await volume.mount(DATASET);
  await check(again.client, file, offsets);
  again.client.close();
  return {
    title: 'A sparse file of 64 GiB',
    note:
      `${writes.toLocaleString('en')} writes of 4 KiB at random bytes, ${DEPTH} at a time, and a COMMIT; as many reads of holes; reads of 1 MiB in ` +
      'sequence, four at a time. Size, allocated bytes and data were right, and behind a restart too.',
    head: [
      'writes a second',
      'hole reads a second',
      'in sequence, MiB/s',
      'allocated MiB',
      'RSS MiB',
      'disk MiB',
    ],
    rows: [
      [
        ...[written, holesRead, swept].map((value) => Math.round(value).toLocaleString('en')),
        (union(offsets) / 2 ** 20).toFixed(2),
        String(memory),
        String(diskMiB(volume.server.dataDir)),
      ],
    ],
    limits: [],
  };
}

const sweep = [
  ...['--wl', 'seqread', '--dir', 'd', '--name', 'big', '--filesize', '64G'],
  ...['--size', '1M', '--depth', '4', '--seconds', '2'],
];

/** Of a byte its place decides, so that it does not matter which of two writes came last. */
function content(at, length = PIECE) {
  return Buffer.from(Array.from({ length }, (_, index) => 1 + ((at + index) % 251)));
}

async function check(client, file, offsets) {
  const { size, used } = (await client.must(getattr(file))).attributes;
  expect(size === SIZE, () => `size ${size}, written ${SIZE}`);
  expect(used === union(offsets), () => `${used} bytes allocated, ${union(offsets)} written`);
  for (const at of lonely(offsets).slice(0, CHECKED)) {
    const { data } = await client.must(read(file, at - PIECE, 3 * PIECE));
    const hole = Buffer.alloc(PIECE);
    const wanted = Buffer.concat([hole, content(at), hole]);
    expect(wanted.equals(data), () => `wrong bytes around ${at}`);
  }
}

/** Bytes that at least one write covers. */
function union(offsets) {
  const sorted = offsets.toSorted((one, other) => one - other);
  return sorted.reduce((sum, at, index) => sum + Math.min(PIECE, (sorted[index + 1] ?? SIZE) - at), 0);
}

/** Those with a hole of at least a piece on both sides. */
function lonely(offsets) {
  const sorted = offsets.toSorted((one, other) => one - other);
  const before = (index) => sorted[index] - (sorted[index - 1] ?? -PIECE);
  const behind = (index) => (sorted[index + 1] ?? SIZE) - sorted[index];
  return sorted.filter((_, index) => before(index) >= 2 * PIECE && behind(index) >= 2 * PIECE);
}

function holesOf(offsets) {
  return lonely(offsets).map((at) => at + PIECE);
}
