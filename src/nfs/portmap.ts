// The port mapper, version 2 (RFC 1833 §3): at which port each program is. It only tells; nobody can register here, and
// CALLIT, which would call programs on a stranger's behalf, is PROC_UNAVAIL.

import { nullProcedure, procedure, type RpcProgram } from './rpc/program.ts';
import { bool, nothing, u32 } from './xdr/primitives.ts';
import { list } from './xdr/sequence.ts';
import { struct } from './xdr/struct.ts';
import type { XdrOf } from './xdr/xdr.ts';

export const PORTMAP_PROGRAM = 100000;
export const PORTMAP_VERSION = 2;

/** IPPROTO_TCP, the only transport that is served. */
const PROTOCOL_TCP = 6;

/** More programs than a server of files will ever have. */
const MAPPINGS_MAX = 256;

/** RFC 1833 §3: mapping */
const mapping = struct({ prog: u32, vers: u32, prot: u32, port: u32 });
type Mapping = XdrOf<typeof mapping>;

/** A program that can be found through the port mapper. */
export interface Registration {
  readonly program: number;
  readonly version: number;
  readonly port: number;
}

/** @param registrations asked at each call: a port that the system chooses is known only when it is bound */
export function portmapProgram(registrations: () => readonly Registration[]): RpcProgram {
  const mappings = (): Mapping[] =>
    registrations().map(({ program, version, port }) => ({
      prog: program,
      vers: version,
      prot: PROTOCOL_TCP,
      port,
    }));
  const refused = { args: mapping, result: bool, run: () => false };
  return {
    program: PORTMAP_PROGRAM,
    version: PORTMAP_VERSION,
    name: 'PORTMAP',
    procedures: [
      nullProcedure,
      procedure({ name: 'SET', ...refused }),
      procedure({ name: 'UNSET', ...refused }),
      procedure({
        name: 'GETPORT',
        args: mapping,
        result: u32,
        run: (_, wanted) => portOf(mappings(), wanted),
      }),
      procedure({ name: 'DUMP', args: nothing, result: list(mapping, MAPPINGS_MAX), run: mappings }),
    ],
  };
}

/** As rpcbind does, the port of another version if need be: the program there says which versions it has. */
function portOf(mappings: readonly Mapping[], wanted: Mapping): number {
  const served = mappings.filter(({ prog, prot }) => prog === wanted.prog && prot === wanted.prot);
  return (served.find(({ vers }) => vers === wanted.vers) ?? served[0])?.port ?? 0;
}
