import { describe, expect, it } from 'vitest';
import { followJob } from '../../../src/admin/cli/followed-job.ts';
import type { AdminClient } from '../../../src/admin/grpc/admin-client.ts';
import type { JobMessage } from '../../../src/admin/grpc/admin-messages.ts';

const running = { id: '1', kind: 'restore', state: 'running' } as unknown as JobMessage;
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

describe('a command that waits for its job', () => {
  it('does not let its process end meanwhile, when it waits for nothing else', async () => {
    const client = {
      call: async () => ({ jobs: [{ ...running, state: 'done' }] }),
    } as unknown as AdminClient;
    const before = timers();
    const followed = followJob(client, running);
    expect(timers()).toBe(before + 1);
    expect((await followed).state).toBe('done');
  });
});
