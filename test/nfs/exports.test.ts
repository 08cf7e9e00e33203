import { describe, expect, it } from 'vitest';
import type { ExportRule } from '../../src/nfs/export-rule.ts';
import { Exports } from '../../src/nfs/exports.ts';
import { REFUSAL_INTERVAL_MS, REFUSALS_MAX } from '../../src/nfs/refusal-log.ts';
import { AUTH_NONE, AUTH_SYS, anonymous, type Credential } from '../../src/nfs/rpc/credential.ts';
import { logLines } from './log-lines.ts';
import { ManualClock } from './manual-clock.ts';

const OPEN: ExportRule = {
  networks: ['*'],
  access: 'rw',
  squash: 'none',
  anonuid: 65534,
  anongid: 65534,
  secure: false,
  datasets: ['*'],
};
const credential = (uid: number, gid: number, groups: number[] = []): Credential => ({
  flavor: AUTH_SYS,
  uid,
  gid,
  groups,
  machine: 'm',
});

function exportsOf(...rules: Partial<ExportRule>[]) {
  const log = logLines();
  const clock = new ManualClock();
  const exports = new Exports(
    rules.map((rule) => ({ ...OPEN, ...rule })),
    { log, clock },
  );
  const reaches = (address: string, dataset = 'root') =>
    exports.check({ address, port: 2000 }, dataset) !== undefined;
  return { exports, log, clock, reaches };
}

describe('the networks of a rule', () => {
  it.each([
    ['10.0.0.7', '10.0.0.7', true],
    ['10.0.0.7', '10.0.0.8', false],
    ['127.0.0.0/8', '127.255.0.1', true],
    ['127.0.0.0/8', '128.0.0.1', false],
    ['127.0.0.0/8', '::ffff:127.0.0.1', true],
    ['10.0.0.0/31', '10.0.0.1', true],
    ['10.0.0.0/31', '10.0.0.2', false],
    ['192.168.1.5/24', '192.168.1.77', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::1', '::1', true],
    ['::1', '::2', false],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['fd00::/9', 'fd7f::1', true],
    ['fd00::/9', 'fd80::1', false],
    ['fe80::/10', 'fe80::1%lo', true],
    ['::/0', '2001:db8::1', true],
    ['::/0', '203.0.113.9', false],
    ['::ffff:10.0.0.7', '10.0.0.7', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::FFFF:10.0.0.0/104', '11.1.2.3', false],
    ['*', '203.0.113.9', true],
    ['*', '2001:db8::1', true],
  ])('%s and %s: %s', (network, address, expected) => {
    expect(exportsOf({ networks: [network] }).reaches(address)).toBe(expected);
  });

  it('may be several, of both families', () => {
    const { reaches } = exportsOf({ networks: ['127.0.0.0/8', '::1'] });
    expect([reaches('127.0.0.1'), reaches('::1'), reaches('10.0.0.1')]).toEqual([true, true, false]);
  });

  it('may be none, and then hold nobody', () => {
    expect(exportsOf({ networks: [] }).reaches('127.0.0.1')).toBe(false);
  });
});

describe('the datasets of a rule', () => {
  it.each([
    [['*'], 'a/b', true],
    [['a'], 'a', true],
    [['a'], 'a/b/c', true],
    [['a'], 'ab', false],
    [['a/b'], 'a', false],
    [['x', 'a'], 'a', true],
    [[], 'a', false],
  ])('%j and %s: %s', (datasets, name, expected) => {
    expect(exportsOf({ datasets }).reaches('10.0.0.1', name)).toBe(expected);
  });
});

describe('the order of rules', () => {
  it('lets the first that holds address and dataset decide', () => {
    const { exports } = exportsOf(
      { networks: ['10.0.0.0/8'], datasets: ['a'], access: 'ro' },
      { networks: ['10.0.0.0/8'] },
      { networks: ['10.0.0.0/8'], datasets: ['b'], access: 'ro' },
    );
    const peer = { address: '10.1.1.1', port: 700 };
    expect(exports.check(peer, 'a')?.readOnly).toBe(true);
    expect(exports.check(peer, 'b')?.readOnly).toBe(false);
    expect(exports.check({ address: '11.1.1.1', port: 700 }, 'a')).toBeUndefined();
  });

  it('does not go on to a rule without `secure` when the first one refuses the port', () => {
    const { exports } = exportsOf({ secure: true }, { secure: false });
    expect(exports.check({ address: '10.1.1.1', port: 1024 }, 'a')).toBeUndefined();
    expect(exports.check({ address: '10.1.1.1', port: 1023 }, 'a')).toBeDefined();
  });

  it('tells two connections of one address apart by their ports', () => {
    const { exports } = exportsOf({ secure: true });
    const [low, high] = [
      { address: '::1', port: 900 },
      { address: '::1', port: 40_000 },
    ];
    for (let round = 0; round < 2; round++) {
      expect(exports.check(low, 'root')).toBeDefined();
      expect(exports.check(high, 'root')).toBeUndefined();
    }
  });
});

describe('who a credential stands for', () => {
  const callerBy = (rule: Partial<ExportRule>, from: Credential) =>
    exportsOf(rule).exports.check({ address: '::1', port: 1 }, 'root')!.caller(from);

  it('is itself, with its 16 groups, where nothing is squashed', () => {
    const groups = Array.from({ length: 16 }, (_, i) => i);
    expect(callerBy({ squash: 'none' }, credential(0, 0, groups))).toMatchObject({ uid: 0, gid: 0, groups });
  });

  it('is anybody but root with `root`, also in groups', () => {
    const rule = { squash: 'root', anonuid: 99, anongid: 98 } as const;
    expect(callerBy(rule, credential(0, 0, [0, 5]))).toMatchObject({ uid: 99, gid: 98, groups: [98, 5] });
    expect(callerBy(rule, credential(1000, 0, [4]))).toMatchObject({ uid: 1000, gid: 98, groups: [4] });
    expect(callerBy(rule, credential(1000, 100, []))).toMatchObject({ uid: 1000, gid: 100, groups: [] });
  });

  it('is one and the same with `all`, without groups', () => {
    const rule = { squash: 'all', anonuid: 99, anongid: 98 } as const;
    const nobody = { uid: 99, gid: 98, groups: [] };
    expect(callerBy(rule, credential(0, 0, [0]))).toEqual(nobody);
    expect(callerBy(rule, credential(1000, 100, [7]))).toEqual(nobody);
  });

  it('is nobody without a credential, whatever is squashed', () => {
    expect(anonymous.flavor).toBe(AUTH_NONE);
    for (const squash of ['none', 'root', 'all'] as const) {
      expect(callerBy({ squash }, anonymous)).toMatchObject({ uid: 65534, gid: 65534, groups: [] });
    }
  });

  it('is nobody where an id is -1, whatever is squashed', () => {
    const none = 0xffff_ffff;
    for (const squash of ['none', 'root'] as const) {
      const rule = { squash, anonuid: 99, anongid: 98 };
      const caller = callerBy(rule, credential(none, none, [4, none]));
      expect(caller).toEqual({ uid: 99, gid: 98, groups: [4, 98] });
      expect(callerBy(rule, credential(1000, none, []))).toMatchObject({ uid: 1000, gid: 98 });
    }
  });

  it('is not mixed up between two rules', () => {
    const { exports } = exportsOf({ datasets: ['a'], squash: 'all' }, { squash: 'none' });
    const peer = { address: '::1', port: 1 };
    const root = credential(0, 0);
    expect(exports.check(peer, 'a')!.caller(root).uid).toBe(65534);
    expect(exports.check(peer, 'b')!.caller(root).uid).toBe(0);
    expect(exports.check(peer, 'a')!.caller(root).uid).toBe(65534);
  });
});

describe('reload', () => {
  it('counts from the next call of the same connection on', () => {
    const { exports } = exportsOf({});
    const peer = { address: '10.1.1.1', port: 700 };
    expect(exports.check(peer, 'a')?.readOnly).toBe(false);
    exports.reload([{ ...OPEN, access: 'ro' }]);
    expect(exports.check(peer, 'a')?.readOnly).toBe(true);
    exports.reload([{ ...OPEN, networks: ['10.2.0.0/16'] }]);
    expect(exports.check(peer, 'a')).toBeUndefined();
    exports.reload([OPEN]);
    expect(exports.check(peer, 'a')?.readOnly).toBe(false);
  });

  it('shows the rules in force', () => {
    const { exports } = exportsOf({});
    const rules = [{ ...OPEN, networks: ['10.2.0.0/16'] }];
    exports.reload(rules);
    expect(exports.list()).toEqual(rules);
  });

  it('keeps the old rules when a new one is no rule', () => {
    const { exports, reaches } = exportsOf({ networks: ['10.0.0.1'] });
    expect(() => exports.reload([OPEN, { ...OPEN, networks: ['10.0.0.1/99'] }])).toThrow();
    expect([reaches('10.0.0.1'), reaches('10.0.0.2')]).toEqual([true, false]);
    expect(exports.list()).toHaveLength(1);
  });
});

describe('a dataset under another name', () => {
  it('is judged by that name', () => {
    const { exports } = exportsOf({ datasets: ['open'] });
    const peer = { address: '10.1.1.1', port: 700 };
    expect(exports.check(peer, 'open')).toBeDefined();
    expect(exports.check(peer, 'closed')).toBeUndefined();
  });

  it('is right also after thousands of names on one connection', () => {
    const { exports } = exportsOf({ datasets: ['open'] });
    const peer = { address: '10.1.1.1', port: 700 };
    for (let i = 0; i < 5000; i++) {
      expect(exports.check(peer, `open/${i}`)).toBeDefined();
      expect(exports.check(peer, `closed/${i}`)).toBeUndefined();
    }
  });
});

describe('what is refused', () => {
  it('is logged with the hint about ports', () => {
    const { exports, log } = exportsOf({ secure: true });
    exports.check({ address: '10.1.1.1', port: 4711 }, 'a');
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toContain('Refused a to 10.1.1.1');
    expect(log.lines[0]).toContain('--insecure-ports');
    expect(log.lines[0]).toContain('secure = false');
  });

  it('is logged when no rule has the address', () => {
    const { log, reaches } = exportsOf({ networks: ['10.0.0.1'] });
    reaches('10.0.0.2', 'a');
    expect(log.lines).toEqual(['Refused a to 10.0.0.2: no export rule has its address']);
  });

  it('is logged otherwise when the rules of the address do not have the dataset', () => {
    const { log, reaches } = exportsOf({ networks: ['10.0.0.0/8'], datasets: ['projcts'] });
    reaches('10.0.0.2', 'projects');
    reaches('11.0.0.2', 'projects');
    expect(log.lines).toEqual([
      'Refused projects to 10.0.0.2: the export rules that have its address do not have this dataset',
      'Refused projects to 11.0.0.2: no export rule has its address',
    ]);
  });

  it('is logged once a minute for each address', () => {
    const { log, clock, reaches } = exportsOf({ networks: [] });
    for (let i = 0; i < 100; i++) reaches('10.0.0.2');
    reaches('10.0.0.3');
    expect(log.lines).toHaveLength(2);
    clock.advance(REFUSAL_INTERVAL_MS - 1);
    reaches('10.0.0.2');
    expect(log.lines).toHaveLength(2);
    clock.advance(1);
    reaches('10.0.0.2');
    expect(log.lines).toHaveLength(3);
  });

  it('is logged so many times a minute, however many addresses there are', () => {
    const { log, clock, reaches } = exportsOf({ networks: [] });
    const flood = () => {
      for (let i = 0; i < 3 * REFUSALS_MAX; i++) reaches(`2001:db8::${i.toString(16)}`);
    };
    flood();
    expect(log.lines).toHaveLength(REFUSALS_MAX);
    clock.advance(REFUSAL_INTERVAL_MS);
    flood();
    expect(log.lines).toHaveLength(2 * REFUSALS_MAX);
  });

  it('is logged again after a reload', () => {
    const { exports, log, reaches } = exportsOf({ networks: [] });
    reaches('10.0.0.2');
    exports.reload([{ ...OPEN, networks: [] }]);
    reaches('10.0.0.2');
    expect(log.lines).toHaveLength(2);
  });

  it('is not logged when it is only looked at', () => {
    const { exports, log } = exportsOf({ networks: ['10.0.0.0/8'], secure: true });
    expect(exports.shownTo('10.0.0.2', 'a')).toEqual(['10.0.0.0/8']);
    expect(exports.shownTo('11.0.0.2', 'a')).toBeUndefined();
    expect(log.lines).toEqual([]);
  });
});
