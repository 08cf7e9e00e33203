import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/admin/config/settings.ts';
import { createLog } from '../../src/admin/create-log.ts';

const directory = mkdtempSync(join(tmpdir(), 'cairn-log-'));
afterAll(() => rmSync(directory, { recursive: true }));

function logged(settings: Settings['log'], isTerminal: boolean): string {
  const file = join(directory, 'log');
  const descriptor = openSync(file, 'w');
  const log = createLog(settings, { descriptor, isTerminal });
  log.debug({}, 'too much');
  log.warn({ client: '127.0.0.1', err: new Error('why') }, 'A sentence');
  // What was logged is written by now: a crash of the process would not take it away.
  const text = readFileSync(file, 'utf8');
  closeSync(descriptor);
  return text;
}

describe('the log', () => {
  it('is one JSON object a line for programs', () => {
    const lines = logged({ level: 'info', format: 'auto' }, false).split('\n');
    expect(lines).toHaveLength(2);
    const { time, ...line } = JSON.parse(lines[0]!);
    expect(line).toMatchObject({
      level: 'warn',
      client: '127.0.0.1',
      err: { message: 'why' },
      msg: 'A sentence',
    });
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('is a line for people on a terminal, or when asked', () => {
    for (const [format, isTerminal] of [
      ['auto', true],
      ['pretty', false],
    ] as const) {
      const text = logged({ level: 'info', format }, isTerminal);
      expect(text).toContain('A sentence');
      expect(text).toContain('WARN');
      expect(text).not.toContain('{"level"');
      expect(text).not.toContain('too much');
    }
  });

  it('says more at a lower level', () => {
    expect(logged({ level: 'debug', format: 'json' }, false)).toContain('too much');
    expect(logged({ level: 'silent', format: 'json' }, false)).toBe('');
  });
});
