// Why a volume cannot be opened. The message is for the person who starts the server, and says what to do.

export type VolumeErrorCode =
  /** Another process has it open. */
  | 'IN_USE'
  /** The directory has files but is no data directory. */
  | 'NOT_OURS'
  /** Made by a newer version, or uses a feature that this one does not know. */
  | 'UNKNOWN_FORMAT'
  /** Something in it is not what was written. */
  | 'DAMAGED'
  /** The system refuses access: permissions, a read-only or full disk. */
  | 'INACCESSIBLE';

export class VolumeError extends Error {
  override readonly name = 'VolumeError';
  readonly code: VolumeErrorCode;
  /** Whether `--repair` opens it nevertheless, without what is lost. */
  readonly mendable: boolean;

  constructor(
    code: VolumeErrorCode,
    message: string,
    options?: ErrorOptions & { readonly mendable?: boolean },
  ) {
    super(message, options);
    this.code = code;
    this.mendable = options?.mendable ?? false;
  }
}

/** An error of the system while opening `path`, in the words of the person who chose the path. */
export function inaccessible(path: string, cause: unknown): VolumeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new VolumeError(
    'INACCESSIBLE',
    `Cannot use ${path}: ${reason}. Check its permissions and its disk, or choose another --data-dir`,
    { cause },
  );
}
