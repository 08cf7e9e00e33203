/** Why the server cannot start, in a sentence for the person who starts it, who can mend it. */
export class StartError extends Error {
  override readonly name = 'StartError';

  /** The system refuses what the person who starts it has named: it is another user's. */
  get isDenied(): boolean {
    for (let { cause } = this as Error; cause instanceof Error; { cause } = cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      // LevelDB has no code for it, only the system's words.
      if (code === 'EACCES' || code === 'EPERM' || message.endsWith(': Permission denied')) return true;
    }
    return false;
  }
}

export interface ListenFailure {
  /** HOST:PORT. */
  readonly endpoint: string;
  /** The flag that chooses another. */
  readonly flag: string;
  /** Of the system, such as EADDRINUSE. */
  readonly code: string | undefined;
  readonly cause: unknown;
}

/** What to do when an endpoint cannot be had. */
export function listenError({ endpoint, flag, code, cause }: ListenFailure): StartError {
  const reason = REASONS[code ?? ''] ?? (cause instanceof Error ? cause.message : String(cause));
  return new StartError(`Cannot listen on ${endpoint}: ${reason}, or choose another with ${flag} HOST:PORT`, {
    cause,
  });
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has the port. Stop that program (a second Cairn, or the kernel’s NFS server?)',
  EADDRNOTAVAIL: 'the address is not of this machine. Give one of its own',
  EACCES: 'ports below 1024 need privileges. Start with them',
  ENOTFOUND: 'there is no machine of this name. Give one of its own addresses',
};
