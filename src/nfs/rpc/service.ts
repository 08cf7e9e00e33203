// From a call to its reply, whatever brought the call.

import type { XdrReader } from '../xdr/reader.ts';
import { XdrError } from '../xdr/xdr.ts';
import type { RpcCall } from './call.ts';
import type { RpcLog } from './log.ts';
import type { AnyProcedure, RpcProgram } from './program.ts';
import type { ReplyWriter } from './reply.ts';
import { RpcError } from './rpc-error.ts';
import { ProcedureStatistics, type ProgramStatistics } from './statistics.ts';

/** A procedure and its counters. */
export interface Served {
  readonly procedure: AnyProcedure;
  readonly statistics: ProcedureStatistics;
}

interface ServedProgram {
  readonly program: number;
  readonly version: number;
  readonly procedures: readonly (Served | undefined)[];
}

export class RpcService {
  readonly statistics: readonly ProgramStatistics[];
  readonly #programs: readonly ServedProgram[];
  readonly #log: RpcLog;

  constructor(programs: readonly RpcProgram[], log: RpcLog) {
    this.#log = log;
    this.#programs = programs.map(({ program, version, procedures }) => ({
      program,
      version,
      procedures: procedures.map(
        (procedure) => procedure && { procedure, statistics: new ProcedureStatistics(procedure.name) },
      ),
    }));
    this.statistics = programs.map(({ program, version, name }, index) => ({
      program,
      version,
      name,
      procedures: this.#programs[index]!.procedures.map((served) => served?.statistics),
    }));
  }

  /** @throws RpcError when no program or procedure has these numbers */
  find(call: RpcCall): Served {
    for (const entry of this.#programs) {
      if (entry.program !== call.program || entry.version !== call.version) continue;
      const served = entry.procedures[call.procedure];
      if (served) return served;
      throw new RpcError(
        'PROC_UNAVAIL',
        `Cannot call procedure ${call.procedure}: the program has none such`,
      );
    }
    const versions = this.#programs
      .filter(({ program }) => program === call.program)
      .map(({ version }) => version);
    if (versions.length === 0)
      throw new RpcError('PROG_UNAVAIL', `Cannot call program ${call.program}: not here`);
    throw new RpcError('PROG_MISMATCH', `Cannot call version ${call.version}: not here`, {
      low: Math.min(...versions),
      high: Math.max(...versions),
    });
  }

  /** Runs the procedure. What it throws is the call's failure, see {@link failed}. */
  run({ procedure }: Served, call: RpcCall, from: XdrReader): unknown {
    const args = procedure.args.decode(from);
    from.finish();
    return procedure.run(call, args);
  }

  /** Writes the reply to a call that threw `error`. */
  failed(served: Served | undefined, call: RpcCall, error: unknown, out: ReplyWriter): void {
    if (served) served.statistics.refusals++;
    const refusal = error instanceof XdrError ? new RpcError('GARBAGE_ARGS', error.message) : error;
    if (refusal instanceof RpcError) {
      out.refusal(call.xid, refusal);
      return;
    }
    this.#log.error(
      {
        err: error,
        program: call.program,
        version: call.version,
        procedure: served?.procedure.name ?? call.procedure,
        xid: call.xid,
        client: call.peer.address,
      },
      'Cannot serve a call: this is a bug',
    );
    out.refusal(call.xid, new RpcError('SYSTEM_ERR', 'bug'));
  }
}
