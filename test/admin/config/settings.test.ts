// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the notation of the configuration

import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/admin/config/config-error.ts';
import { readTopKeys } from '../../../src/admin/config/config-file.ts';
import { EXPORT_KEYS, SECTIONS, TOP_KEYS } from '../../../src/admin/config/config-keys.ts';
import { loadSettings, type Settings, type SettingsFlags } from '../../../src/admin/config/settings.ts';
import { settingsText } from '../../../src/admin/config/settings-text.ts';

const directory = mkdtempSync(join(tmpdir(), 'cairn-config-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'c.toml');

const [CERT, KEY] = ['localhost-cert.pem', 'localhost-key.pem'].map((name) =>
  resolve(import.meta.dirname, '../grpc', name),
);

function load(toml: string, flags: SettingsFlags = {}, environment: Record<string, string> = {}): Settings {
  writeFileSync(file, toml);
  return loadSettings({ config: file, ...flags }, environment, '/work-dir');
}

/** What is said about the file, without its name. */
function problems(
  toml: string,
  flags: SettingsFlags = {},
  environment: Record<string, string> = {},
): string[] {
  try {
    load(toml, flags, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((text) => text.replaceAll(file, 'FILE'));
    throw error;
  }
  return [];
}

describe('settings without a file', () => {
  const settings = loadSettings({}, {}, '/work-dir');

  it('are the documented defaults', () => {
    expect(settings).toMatchObject({
      dataDir: '/work-dir/data',
      listen: { host: '127.0.0.1', port: 2049 },
      adminSocket: '/work-dir/data/admin.sock',
      durability: 'strict',
      limits: { connections: 4096, callsInFlight: 256, idleMs: 600_000 },
      repair: false,
    });
    expect([settings.portmapListen, settings.grpc, settings.httpListen]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('export everything to this machine: rw, no_root_squash, secure', () => {
    expect(settings.exports).toMatchObject([
      { networks: ['127.0.0.0/8', '::1'], access: 'rw', squash: 'none', secure: true, datasets: ['*'] },
    ]);
  });

  it('cannot be changed', () => {
    expect(() => Object.assign(settings.limits, { connections: 1 })).toThrow(TypeError);
  });
});

describe('flags', () => {
  it('win over the file', () => {
    const settings = load('listen = "127.0.0.1:1"\ndurability = "relaxed"\n', {
      listen: '[::1]:3049',
      durability: 'strict',
      dataDir: 'elsewhere',
      adminSocket: 's.sock',
      repair: true,
    });
    expect(settings).toMatchObject({
      listen: { host: '::1', port: 3049 },
      durability: 'strict',
      dataDir: '/work-dir/elsewhere',
      adminSocket: '/work-dir/s.sock',
      repair: true,
    });
  });

  it('are checked as the keys are', () => {
    expect(problems('', { listen: '2049', durability: 'fast' })).toEqual([
      '--listen must be HOST:PORT, such as "127.0.0.1:2049" or "[::1]:2049", not "2049"',
      '--durability must be strict or relaxed, not "fast"',
    ]);
  });

  it('that are paths are not empty, which would be the default without a word', () => {
    expect(problems('', { dataDir: '', adminSocket: '' })).toEqual([
      '--data-dir must not be empty',
      '--admin-socket must not be empty',
    ]);
  });

  it('take the source port check away from every rule with --insecure-ports', () => {
    expect(load('', { insecurePorts: true }).exports[0]?.secure).toBe(false);
    expect(load('insecure_ports = true\n[[export]]\nnetwork = "*"\n').exports[0]?.secure).toBe(false);
  });
});

describe('paths in the file', () => {
  it('are meant from where the file is', () => {
    expect(load('data_dir = "d"\nadmin_socket = "a/s"\n')).toMatchObject({
      dataDir: join(directory, 'd'),
      adminSocket: join(directory, 'a/s'),
    });
  });

  it('leave the default data directory where the command is started', () => {
    expect(load('')).toMatchObject({
      dataDir: '/work-dir/data',
      adminSocket: '/work-dir/data/admin.sock',
    });
  });
});

describe('values', () => {
  it('are sizes, durations, networks and numbers', () => {
    const settings = load(`
      dirty_bytes_max = "1GB"
      disk_reserve_bytes = 1048576
      auto_detach = false
      relaxed_sync_interval = "250ms"
      [cache]
      metadata_bytes = "0.5GiB"
      warm_bytes = 0
      [limits]
      idle = "2h"
      [[export]]
      network = "fd00::/8"
      datasets = ["a", "b/c"]
      [[export]]
      network = ["10.0.0.7", "*"]
      access = "ro"
      squash = "all"
      anonuid = 4294967294
    `);
    expect(settings).toMatchObject({
      dirtyBytesMax: 1e9,
      diskReserveBytes: 1048576,
      autoDetach: false,
      relaxedSyncIntervalMs: 250,
      cache: { metadataBytes: 536870912, warmBytes: 0 },
      limits: { idleMs: 7_200_000 },
      exports: [
        { networks: ['fd00::/8'], datasets: ['a', 'b/c'], squash: 'root', anonuid: 65534 },
        { networks: ['10.0.0.7', '*'], access: 'ro', squash: 'all', anonuid: 4294967294 },
      ],
    });
  });

  it.each([
    [
      'listen = "localhost"',
      'FILE, line 1: listen must be HOST:PORT, such as "127.0.0.1:2049" or "[::1]:2049", not "localhost"',
    ],
    [
      'listen = "127.0.0.1:65536"',
      'FILE, line 1: listen must be HOST:PORT, such as "127.0.0.1:2049" or "[::1]:2049", not "127.0.0.1:65536"',
    ],
    ['data_dir = 5', 'FILE, line 1: data_dir must be a text in quotes, not 5'],
    ['data_dir = ""', 'FILE, line 1: data_dir must not be empty'],
    ['insecure_ports = "yes"', 'FILE, line 1: insecure_ports must be true or false, not "yes"'],
    [
      'dirty_bytes_max = "12 parsecs"',
      'FILE, line 1: dirty_bytes_max must be a size: "12 parsecs" is no size: give bytes or a number with KiB, MiB, GiB, TiB (of 1024) or KB, MB, GB, TB (of 1000)',
    ],
    ['dirty_bytes_max = "4KiB"', 'FILE, line 1: dirty_bytes_max must be at least 8MiB, not "4KiB"'],
    [
      'relaxed_sync_interval = 5',
      'FILE, line 1: relaxed_sync_interval must be a duration such as "250ms", "30s", "10m" or "2h", not 5',
    ],
    ['relaxed_sync_interval = "2h"', 'FILE, line 1: relaxed_sync_interval must be from 1ms to 1m, not "2h"'],
    [
      '\n[limits]\nconnections = 0',
      'FILE, line 3: connections in [limits] must be a whole number from 1 to 65536, not 0',
    ],
    [
      '[[export]]\nnetwork = "10.0.0.0/33"',
      'FILE, line 2: network in [[export]] number 1 must be a network such as "192.168.1.0/24", "fd00::/8", "10.0.0.7" or "*", not "10.0.0.0/33"',
    ],
    [
      '[[export]]\nnetwork = []',
      'FILE, line 2: network in [[export]] number 1 must be a list such as ["a", "b"], not an empty list',
    ],
    [
      '[[export]]\nnetwork = "*"\ndatasets = ["a", "/a b"]',
      'FILE, line 3: datasets in [[export]] number 1 must be names of datasets, or "*": "/a b" is no valid name: it begins with "/", which only paths for mount do',
    ],
    [
      '[[export]]\nnetwork = "*"\n[[export]]\naccess = "ro"',
      'FILE, line 3: [[export]] number 2 needs the key "network"',
    ],
    [
      '[export]\nnetwork = "*"',
      'FILE, line 1: each export rule has two brackets: write [[export]], not [export]',
    ],
    [
      'log = "debug"',
      'FILE, line 1: log must be a section: write [log] on a line of its own, its keys below it',
    ],
  ])('of %j are refused with a sentence', (toml, sentence) => {
    expect(problems(toml)).toEqual([sentence]);
  });
});

describe('several wrong values of one list', () => {
  it('are all told', () => {
    const network =
      'FILE, line 2: network in [[export]] number 1 must be a network such as "192.168.1.0/24", "fd00::/8", "10.0.0.7" or "*", not';
    expect(problems('[[export]]\nnetwork = ["10.0.0.0/33", "*", "nas", 7]\ndatasets = ["/a"]')).toEqual([
      `${network} "10.0.0.0/33"`,
      `${network} "nas"`,
      `${network} 7`,
      expect.stringContaining('datasets in [[export]] number 1'),
    ]);
  });
});

describe('unknown keys', () => {
  it.each([
    ['lisen = "127.0.0.1:1"', 'FILE, line 1: there is no key "lisen"; did you mean "listen"?'],
    [
      '\n[cache]\n# a comment\nmetadata_byte = 1',
      'FILE, line 4: there is no key "metadata_byte" in [cache]; did you mean "metadata_bytes"?',
    ],
    [
      '[[export]]\nnetwork = "*"\nacces = "ro"',
      'FILE, line 3: there is no key "acces" in [[export]] number 1; did you mean "access"?',
    ],
    ['[chache]\nwarm_bytes = 1', 'FILE, line 1: there is no key "chache"; did you mean "cache"?'],
    ['tls_cert = "x"', 'FILE, line 1: there is no key "tls_cert" here; it belongs below [grpc]'],
    [
      '[log]\nlisten = "127.0.0.1:1"',
      'FILE, line 2: there is no key "listen" in [log]; it belongs at the top of the file, before the first section',
    ],
    [
      '[log]\ncolours = 5',
      'FILE, line 2: there is no key "colours" in [log]; the keys there are level, format',
    ],
  ])('such as in %j are refused with what was meant', (toml, sentence) => {
    expect(problems(toml)).toEqual([sentence]);
  });

  it('are told all at once, with the other mistakes', () => {
    expect(problems('lisen = 1\ndurability = "x"\n[limits]\nidel = "1s"\n')).toEqual([
      'FILE, line 1: there is no key "lisen"; did you mean "listen"?',
      'FILE, line 2: durability must be strict or relaxed, not "x"',
      'FILE, line 4: there is no key "idel" in [limits]; did you mean "idle"?',
    ]);
  });

  it('are not found in the text of a value', () => {
    expect(problems('data_dir = """\nlisten = 5\n"""\nlisten = 6')).toEqual([
      'FILE, line 4: listen must be HOST:PORT, such as "127.0.0.1:2049" or "[::1]:2049", not 6',
    ]);
  });
});

describe('a file that cannot be read', () => {
  it('is named, with the reason', () => {
    expect(() => loadSettings({ config: 'absent.toml' }, {}, '/')).toThrow(
      'Cannot read the configuration file /absent.toml: there is no such file',
    );
    expect(() => loadSettings({ config: directory }, {}, '/')).toThrow('it is a directory');
  });

  it('is no TOML: the line is named', () => {
    expect(problems('listen = "127.0.0.1:1"\nlisten = = 2\n')[0]).toMatch(
      /^FILE, line 2: this is not TOML: /,
    );
  });
});

describe('environment variables', () => {
  it('stand in any value, also of numbers and booleans', () => {
    const toml =
      'data_dir = "/srv/${WHO}/x"\ninsecure_ports = "${ANY}"\n[[export]]\nnetwork = ["${NET}"]\nanonuid = "${ID}"';
    const settings = load(toml, {}, { WHO: 'me', ANY: 'true', NET: '10.0.0.0/8', ID: '7' });
    expect(settings.dataDir).toBe('/srv/me/x');
    expect(settings.exports).toMatchObject([{ networks: ['10.0.0.0/8'], anonuid: 7, secure: false }]);
  });

  it('that are not set are an error', () => {
    expect(problems('data_dir = "${NOWHERE}"')).toEqual([
      'FILE, line 1: data_dir needs the environment variable NOWHERE, which is not set',
    ]);
  });

  it('may be empty, where the value may be', () => {
    expect(problems('data_dir = "${EMPTY}"', {}, { EMPTY: '' })).toEqual([
      'FILE, line 1: data_dir must not be empty',
    ]);
  });

  it('can be escaped', () => {
    expect(load('data_dir = "/a$${WHO}$b"').dataDir).toBe('/a${WHO}$b');
  });

  it('have names', () => {
    expect(problems('data_dir = "${a-b}"')).toEqual([
      'FILE, line 1: data_dir has "${a-b}", which names no environment variable; write $${ where ${ itself is meant',
    ]);
  });

  it('cannot bring in other keys or variables', () => {
    expect(load('data_dir = "/${X}"', {}, { X: '"\nlisten = "0.0.0.0:1${Y}' }).dataDir).toBe(
      '/"\nlisten = "0.0.0.0:1${Y}',
    );
  });
});

describe('servers that other machines can reach', () => {
  it('need an export rule', () => {
    for (const host of ['0.0.0.0', '192.168.1.5', '[::]', 'nas.example']) {
      expect(problems('', { listen: `${host}:2049` })).toEqual([
        `Other machines can reach ${host}:2049, but no [[export]] rule says which of them may use what: add one to the ` +
          'configuration file (config.example.toml shows how), or listen on 127.0.0.1',
      ]);
    }
    expect(problems('[[export]]\nnetwork = "10.0.0.0/8"', { listen: '0.0.0.0:2049' })).toEqual([]);
    for (const host of ['127.0.0.9', '[::1]', 'localhost']) {
      expect(problems('', { listen: `${host}:2049` })).toEqual([]);
    }
  });

  it('need TLS and a token for gRPC', () => {
    const sentence =
      'Other machines can reach 0.0.0.0:7070: grpc_listen beyond 127.0.0.1 needs tls_cert, tls_key and a token (or ' +
      'token_file) in [grpc]';
    expect(problems('', { grpcListen: '0.0.0.0:7070' })).toEqual([sentence]);
    expect(problems('[grpc]\ntoken = "0123456789abcdef"', { grpcListen: '0.0.0.0:7070' })).toEqual([
      sentence,
    ]);
    writeFileSync(join(directory, 'token'), '0123456789abcdef\n');
    const tls = `[grpc]\ntls_cert = "${CERT}"\ntls_key = "${KEY}"\n`;
    expect(problems(tls, { grpcListen: '0.0.0.0:7070' })).toEqual([sentence]);
    const { grpc } = load(`${tls}token_file = "token"\n`, { grpcListen: '0.0.0.0:7070' });
    expect(grpc?.token).toBe('0123456789abcdef');
    expect(problems('', { grpcListen: '127.0.0.1:7070' })).toEqual([]);
  });

  it('never have HTTP', () => {
    expect(problems('[[export]]\nnetwork = "*"', { httpListen: '0.0.0.0:9090' })).toEqual([
      'Other machines can reach 0.0.0.0:9090: http_listen has neither TLS nor a password, so it must be on 127.0.0.1 or [::1]',
    ]);
  });
});

describe('[grpc]', () => {
  const at = { grpcListen: '127.0.0.1:0' };
  const beyond = { grpcListen: '0.0.0.0:0' };

  it('needs certificate and key together, one token of some length, and files that are there', () => {
    writeFileSync(join(directory, 'pem'), 'of some length, but no PEM');
    expect(problems(`[grpc]\ntls_cert = "${CERT}"`, at)).toEqual([
      '[grpc] needs tls_cert and tls_key together: a certificate is of no use without its key',
    ]);
    expect(problems('[grpc]\ntoken = "short"', at)).toEqual([
      'The token in [grpc] must have at least 16 characters',
    ]);
    expect(problems('[grpc]\ntoken = "0123456789abcdef"\ntoken_file = "pem"', at)).toEqual([
      '[grpc] has a token and a token_file: leave one of them out',
    ]);
    expect(problems('[grpc]\ntoken_file = "absent"', at)).toEqual([
      `Cannot read token_file in [grpc], ${directory}/absent: there is no such file`,
    ]);
    // Nothing is said of a token that could not be read.
    expect(problems(`[grpc]\ntoken_file = "/tmp"\ntls_cert = "${CERT}"\ntls_key = "${KEY}"`, beyond)).toEqual(
      ['Cannot read token_file in [grpc], /tmp: it is a directory'],
    );
  });

  it('has a certificate and its key in PEM', () => {
    writeFileSync(join(directory, 'no.pem'), 'x');
    expect(problems('[grpc]\ntls_cert = "no.pem"\ntls_key = "no.pem"', at)).toEqual([
      `tls_cert in [grpc]: ${directory}/no.pem is no PEM certificate`,
      `tls_key in [grpc]: ${directory}/no.pem is no PEM private key without a passphrase`,
    ]);
    expect(problems(`[grpc]\ntls_cert = "${KEY}"\ntls_key = "${CERT}"`, at)).toEqual([
      `tls_cert in [grpc]: ${KEY} is no PEM certificate`,
      `tls_key in [grpc]: ${CERT} is no PEM private key without a passphrase`,
    ]);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(join(directory, 'other.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(problems(`[grpc]\ntls_cert = "${CERT}"\ntls_key = "other.pem"`, at)).toEqual([
      `tls_key in [grpc]: ${directory}/other.pem is not the key of the certificate in tls_cert`,
    ]);
    expect(load(`[grpc]\ntls_cert = "${CERT}"\ntls_key = "${KEY}"`, at).grpc?.tls).toBeDefined();
  });
});

describe('the admin socket', () => {
  it('has a path that systems allow', () => {
    expect(load('', { adminSocket: `/${'s'.repeat(102)}` }).adminSocket).toHaveLength(103);
    expect(problems('', { adminSocket: `/${'s'.repeat(103)}` })[0]).toMatch(
      /has 104 bytes, and systems allow 103: choose a shorter one with --admin-socket$/,
    );
  });

  it('is found in a file whose other values cannot be read here', () => {
    writeFileSync(file, 'admin_socket = "s"\n[grpc]\ntoken = "${NOT_SET_HERE}"\n');
    expect(readTopKeys(file, ['admin_socket', 'data_dir'], {})).toEqual({ admin_socket: 's' });
  });
});

describe('config.example.toml', () => {
  const example = readFileSync(resolve(import.meta.dirname, '../../../config.example.toml'), 'utf8');
  // A key is commented out by "# ", so that its line is the only one that begins with a name and " = ".
  const uncommented = example.replaceAll(/^# (?=[a-z_]+ = |\[\[export\]\])/gm, '');

  it('is a valid file without any effect', () => {
    expect(
      loadSettings({ config: resolve(import.meta.dirname, '../../../config.example.toml') }, {}, '/'),
    ).toMatchObject({
      dataDir: '/data',
      grpc: undefined,
    });
  });

  it('has every key', () => {
    const names = [TOP_KEYS, EXPORT_KEYS, ...Object.values(SECTIONS)].flatMap((keys) => Object.keys(keys));
    expect(names.filter((name) => !uncommented.includes(`\n${name} = `))).toEqual([]);
  });

  it('shows the defaults', () => {
    const optional =
      /^(portmap_listen|grpc_listen|http_listen|tls_cert|tls_key|token|token_file|admin_socket) = .*\n/gm;
    const shown = load(uncommented.replaceAll(optional, ''), { dataDir: '/data' });
    const { exports, configFile, ...rest } = loadSettings({ dataDir: '/data' }, {}, '/');
    expect(shown).toMatchObject(rest);
    expect(shown.exports).toMatchObject([
      { access: 'rw', squash: 'root', anonuid: 65534, secure: true, datasets: ['*'] },
    ]);
  });
});

describe('the settings as text', () => {
  it('are a configuration file that gives the same settings', () => {
    const settings = load(
      'dirty_bytes_max = 123456789\nportmap_listen = "[::1]:111"\n[limits]\nidle = "90s"\n[[export]]\nnetwork = ["10.0.0.0/8", "::1"]\n',
    );
    expect(load(settingsText(settings))).toEqual(settings);
  });

  it('do not show a token', () => {
    const settings = load('[grpc]\ntoken = "0123456789abcdef"\n', { grpcListen: '127.0.0.1:7' });
    expect(settingsText(settings)).toContain('# tls: no, token: yes');
    expect(settingsText(settings)).not.toContain('0123456789abcdef');
  });
});
