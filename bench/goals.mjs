// What the server has to reach, as ratios of one interleaved run against nfs-ganesha: `vfs` its FSAL_VFS on the same
// disk, `mem` its FSAL_MEM, which stores no data. A row stands for the worst of its steps (the names are those of
// shared/perf/suite.mjs). Rates: at least the goal. CPU: at most.

const METADATA_16 = ['getattr_d16', 'access_d16', 'lookup_d16', 'lookneg_d16', 'stat10k_d16'];
const CHANGES_16 = ['rename_d16', 'unlink_d16', 'mkdir_d16', 'link_d16', 'setattr_d16'];
const SMALL_PAYLOADS_16 = [
  'null_d16',
  ...METADATA_16,
  'create_d16',
  ...CHANGES_16,
  'symlink_d16',
  'rmdir_d16',
  'small4k_d16',
  'smallread_d16',
  'rr4k_d16',
  'rw4k_d16',
];

export const RATE_GOALS = [
  { mode: 'strict', what: 'NULL, depth 16', steps: ['null_d16'], vfs: 8, mem: 8 },
  {
    mode: 'strict',
    what: 'GETATTR, ACCESS, LOOKUP, stat of 10k files, depth 16',
    steps: METADATA_16,
    vfs: 6,
    mem: 6,
  },
  { mode: 'strict', what: 'GETATTR unbatched', steps: ['getattr_d16nb'], vfs: 2, mem: 2 },
  {
    mode: 'strict',
    what: 'NULL, GETATTR, LOOKUP, stat, depth 1',
    steps: ['null_d1', 'getattr_d1', 'lookup_d1', 'stat10k_d1'],
    vfs: 0.9,
    mem: 0.95,
  },
  { mode: 'strict', what: 'READDIRPLUS of 1k entries', steps: ['readdirplus_1k'], vfs: 1.5, mem: 1.5 },
  { mode: 'strict', what: 'READDIRPLUS of 10k entries', steps: ['readdirplus_10k'], vfs: 4, mem: 4 },
  { mode: 'strict', what: 'READDIRPLUS of 100k entries', steps: ['readdirplus_100k'], vfs: 8, mem: 5 },
  { mode: 'strict', what: 'CREATE, depth 16', steps: ['create_d16'], vfs: 4 },
  { mode: 'strict', what: 'CREATE, depth 1', steps: ['create_d1'], vfs: 1 },
  { mode: 'relaxed', what: 'CREATE, depth 16', steps: ['create_d16'], vfs: 10, mem: 2 },
  { mode: 'relaxed', what: 'CREATE, depth 1', steps: ['create_d1'], vfs: 4, mem: 0.9 },
  { mode: 'strict', what: 'RENAME, REMOVE, MKDIR, LINK, SETATTR, depth 16', steps: CHANGES_16, vfs: 2 },
  {
    mode: 'relaxed',
    what: 'RENAME, REMOVE, MKDIR, LINK, SETATTR, depth 16',
    steps: CHANGES_16,
    vfs: 5,
    mem: 1.8,
  },
  {
    mode: 'strict',
    what: 'small files (create, write 4 KiB, commit), depth 16',
    steps: ['small4k_d16'],
    vfs: 6,
    mem: 1.5,
  },
  { mode: 'strict', what: 'append 4 KiB stable, depth 1', steps: ['append4k_sync'], vfs: 3 },
  { mode: 'strict', what: 'untar', steps: ['untar_d1', 'untar_d8'], vfs: 3 },
  { mode: 'strict', what: 'compile', steps: ['compile_d4'], vfs: 2 },
  { mode: 'strict', what: 'git', steps: ['git_d4'], vfs: 2 },
  { mode: 'relaxed', what: 'untar', steps: ['untar_d1', 'untar_d8'], vfs: 5, mem: 1.5 },
  { mode: 'relaxed', what: 'compile', steps: ['compile_d4'], vfs: 2, mem: 1.5 },
  { mode: 'relaxed', what: 'git', steps: ['git_d4'], vfs: 3, mem: 1.6 },
  { mode: 'strict', what: 'small file read, depth 16', steps: ['smallread_d16'], vfs: 4, mem: 4 },
  { mode: 'strict', what: 'random 4 KiB read, depth 16', steps: ['rr4k_d16'], vfs: 3.5, mem: 3.5 },
  { mode: 'strict', what: 'random 4 KiB write, depth 16', steps: ['rw4k_d16'], vfs: 4, mem: 2.5 },
  { mode: 'strict', what: 'sequential write, 1 MiB and COMMIT', steps: ['seqwrite_1m_d4'], vfs: 1, mem: 0.6 },
  { mode: 'strict', what: 'sequential write, 1 MiB FILE_SYNC', steps: ['seqwrite_1m_sync'], vfs: 1.5 },
  { mode: 'strict', what: 'sequential read, warm, depth 1', steps: ['seqread_warm_d1'], vfs: 0.9, mem: 0.85 },
  { mode: 'strict', what: 'sequential read, warm, depth 4', steps: ['seqread_warm_d4'], vfs: 0.8, mem: 0.6 },
  { mode: 'strict', what: 'sequential read, cold', steps: ['seqread_cold'], vfs: 1 },
];

export const CPU_GOALS = [
  {
    mode: 'strict',
    what: 'CPU per call, depth 16, payloads to 4 KiB',
    steps: SMALL_PAYLOADS_16,
    vfs: 1 / 4,
    mem: 1 / 4,
  },
];

/** What may not be fallen below now, while the goals above are for later. */
export const RATE_FLOORS = [
  { mode: 'strict', what: 'every step at depth 16', steps: /_d16(nb)?$/, vfs: 1 },
  { mode: 'strict', what: 'sequential write, 1 MiB and COMMIT', steps: ['seqwrite_1m_d4'], vfs: 0.7 },
];

export const CPU_FLOORS = [
  { mode: 'strict', what: 'CPU per call, depth 16, payloads to 4 KiB', steps: SMALL_PAYLOADS_16, vfs: 1 / 3 },
];

export const MILLION_LIMITS = { peakMiB: 512, startMs: 3000 };
