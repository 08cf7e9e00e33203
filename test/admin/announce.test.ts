import { describe, expect, it } from 'vitest';
import { type Announcement, announcementLines } from '../../src/admin/announce.ts';
import { loadSettings } from '../../src/admin/config/settings.ts';

const announcement: Announcement = {
  settings: loadSettings({}, {}, '/srv'),
  version: '1.2.3',
  volumeUuid: '0f0e0d0c-0000-4000-8000-000000000000',
  nfs: { host: '127.0.0.1', port: 3049 },
  portmap: undefined,
  grpc: undefined,
  http: undefined,
  hostname: 'nas',
  datasets: 1,
  defaultDataset: 'root',
};

describe('the announcement', () => {
  it('says in one line each what is served, from where, and how to mount it', () => {
    expect(announcementLines(announcement)).toEqual([
      'Cairn 1.2.3 serves volume 0f0e0d0c-0000-4000-8000-000000000000 from /srv/data: 1 dataset, "root" is the default, strict durability',
      'NFSv3, MOUNT and PORTMAP: 127.0.0.1:3049 (TCP)',
      'Admin: /srv/data/admin.sock',
      'Exported to 127.0.0.0/8, ::1: all datasets, rw, no_root_squash, secure (source ports below 1024)',
      'Mount on Linux: sudo mount -t nfs -o vers=3,proto=tcp,port=3049,mountport=3049,mountproto=tcp,nolock,hard 127.0.0.1:/ /mnt/point',
      'Mount on macOS: sudo mount_nfs -o vers=3,tcp,port=3049,mountport=3049,nolocks,resvport,hard 127.0.0.1:/ /private/mnt',
    ]);
  });

  it('names the other servers that run', () => {
    const lines = announcementLines({
      ...announcement,
      datasets: 3,
      portmap: { host: '127.0.0.1', port: 111 },
      grpc: { host: '::1', port: 7070 },
      http: { host: '127.0.0.1', port: 9090 },
    });
    expect(lines[0]).toContain('3 datasets');
    expect(lines).toContain('PORTMAP: 127.0.0.1:111 (TCP and UDP)');
    expect(lines).toContain('Admin over TCP: [::1]:7070 (gRPC)');
    expect(lines).toContain('HTTP: http://127.0.0.1:9090/metrics, /healthz and /readyz');
  });

  it('gives the name of the machine to mount from where it listens on all addresses', () => {
    const mount = (host: string) => announcementLines({ ...announcement, nfs: { host, port: 2049 } }).at(-2);
    expect(mount('0.0.0.0')).toMatch(/proto=tcp,.* nas:\/ \/mnt\/point$/);
    expect(mount('::')).toMatch(/proto=tcp,.* nas:\/ \/mnt\/point$/);
    expect(mount('::1')).toMatch(/proto=tcp6,.*mountproto=tcp6,.* \[::1\]:\/ \/mnt\/point$/);
  });
});
