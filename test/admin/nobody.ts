/** Root may do everything: what others may not is tried as another. */
export async function asNobody(task: () => Promise<void>): Promise<void> {
  const { seteuid, geteuid } = process;
  const own = geteuid!();
  if (own === 0) seteuid!(65_534);
  try {
    await task();
  } finally {
    if (own === 0) seteuid!(own);
  }
}
