// What the server says when it serves: from where, where, to whom, and the line to type on a client.

import { isIPv6 } from 'node:net';
import type { AdminLog } from './admin-log.ts';
import { type HostPort, hostPortText } from './config/host-port.ts';
import type { ExportRule, Settings } from './config/settings.ts';

export interface Announcement {
  readonly settings: Settings;
  readonly version: string;
  readonly volumeUuid: string;
  /** Where it listens indeed: a port that the system has chosen is known by now. */
  readonly nfs: HostPort;
  readonly portmap: HostPort | undefined;
  readonly grpc: HostPort | undefined;
  readonly http: HostPort | undefined;
  /** How other machines call this one. */
  readonly hostname: string;
  readonly datasets: number;
  readonly defaultDataset: string;
}

export function announce(announcement: Announcement, log: AdminLog): void {
  for (const line of announcementLines(announcement)) log.info({}, line);
}

/** One line each. */
export function announcementLines(announcement: Announcement): string[] {
  const { settings, nfs, portmap, grpc, http } = announcement;
  const count = announcement.datasets === 1 ? '1 dataset' : `${announcement.datasets} datasets`;
  const durability = `${settings.durability} durability`;
  return [
    `Cairn ${announcement.version} serves volume ${announcement.volumeUuid} from ${settings.dataDir}: ${count}, ` +
      `"${announcement.defaultDataset}" is the default, ${durability}`,
    `NFSv3, MOUNT and PORTMAP: ${hostPortText(nfs)} (TCP)`,
    ...(portmap ? [`PORTMAP: ${hostPortText(portmap)} (TCP and UDP)`] : []),
    `Admin: ${settings.adminSocket}`,
    ...(grpc ? [`Admin over TCP: ${hostPortText(grpc)} (gRPC${settings.grpc?.tls ? ', TLS' : ''})`] : []),
    ...(http ? [`HTTP: http://${hostPortText(http)}/metrics, /healthz and /readyz`] : []),
    ...settings.exports.map((rule) => `Exported to ${exportText(rule)}`),
    `Mount on Linux: ${linuxMount(announcement)}`,
    `Mount on macOS: ${macMount(announcement)}`,
  ];
}

function exportText({ networks, access, squash, secure, datasets }: ExportRule): string {
  const which = datasets.includes('*') ? 'all datasets' : datasets.join(', ');
  const whom = { none: 'no_root_squash', root: 'root_squash', all: 'all_squash' }[squash];
  const ports = secure ? 'secure (source ports below 1024)' : 'insecure (any source port)';
  return `${networks.join(', ')}: ${which}, ${access}, ${whom}, ${ports}`;
}

function linuxMount(announcement: Announcement): string {
  const { host, port } = announcement.nfs;
  const tcp = isIPv6(host) && host !== '::' ? 'tcp6' : 'tcp';
  const options = `vers=3,proto=${tcp},port=${port},mountport=${port},mountproto=${tcp},nolock,hard`;
  return `sudo mount -t nfs -o ${options} ${mountHost(announcement)}:/ /mnt/point`;
}

function macMount(announcement: Announcement): string {
  const { port } = announcement.nfs;
  // Unless asked to, macOS calls from a source port above 1023, which a rule that is `secure` refuses.
  const options = `vers=3,tcp,port=${port},mountport=${port},nolocks,resvport,hard`;
  return `sudo mount_nfs -o ${options} ${mountHost(announcement)}:/ /private/mnt`;
}

/** What a client calls this server: of an address for all interfaces, the name of the machine. */
function mountHost({ nfs, hostname }: Announcement): string {
  if (nfs.host === '0.0.0.0' || nfs.host === '::') return hostname;
  return isIPv6(nfs.host) ? `[${nfs.host}]` : nfs.host;
}
