/** For `catch`: undefined where there is no such file; anything else stays an error. */
export function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
