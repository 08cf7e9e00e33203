import { describe, expect, it } from 'vitest';
import { snapshotHolder, treeHolder } from '../../src/fs/holder.ts';

describe('a holder', () => {
  it('has these bytes on disk', () => {
    expect(snapshotHolder(3, 258).toString('hex')).toBe('730000000300000102');
    expect(treeHolder(0xfedcba98).toString('hex')).toBe('74fedcba98');
  });
});
