import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkVolume } from '../../src/datasets/check/check-volume.ts';
import { Handles } from '../../src/nfs/handle.ts';
import { type Seen, seenOf } from './content.ts';
import { openGolden } from './open-golden.ts';

const HERE = import.meta.dirname;
const formats = readdirSync(HERE).filter((name) => name.startsWith('format-'));

describe.each(formats)('the data directory of %s', (format) => {
  const copies: string[] = [];
  const copy = () => {
    const path = mkdtempSync(join(tmpdir(), 'cairn-golden-'));
    copies.push(path);
    cpSync(join(HERE, format, 'volume'), path, { recursive: true });
    return path;
  };
  const expected = JSON.parse(readFileSync(join(HERE, format, 'seen.json'), 'utf8')) as Seen[];
  afterEach(() => {
    for (const path of copies.splice(0)) rmSync(path, { recursive: true, force: true });
  });

  it('shows every object as it was, under the same handles', async () => {
    const { volume, close } = await openGolden(copy());
    const handles = new Handles(volume.format);
    expect(await seenOf(volume, handles)).toEqual(expected);
    for (const { handle, attributes } of expected) {
      const target = handles.decode(Buffer.from(handle, 'hex'))!;
      const found = await volume.datasets.byId(target.dataset)!.fileSystem.attributes(target);
      expect(attributes).toMatchObject({ ino: found.ino });
    }
    await close();
  });

  it('passes its check, and again after a restart', async () => {
    const path = copy();
    for (let run = 0; run < 2; run++) {
      const { volume, close } = await openGolden(path);
      const events = [];
      for await (const event of checkVolume(volume, { path: undefined, repair: false })) events.push(event);
      expect(events).toEqual([{ summary: expect.objectContaining({ datasets: 3, findings: 0 }) }]);
      await close();
    }
  });

  it('keeps its properties', async () => {
    const { volume, close } = await openGolden(copy());
    const info = volume.datasets.info('projects');
    expect(info.quota).toBe(2 ** 30);
    expect(info.properties).toContainEqual({ name: 'user:note', value: 'golden', source: 'local' });
    await close();
  });
});
