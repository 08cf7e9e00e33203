import { describe, expect, it } from 'vitest';
import { FileModel } from './file-model.mjs';
import { add, addLink, DirectoryModel, drop, move, walk } from './tree-model.mjs';

const bytes = (text) => Buffer.from(text);

/** A file whose `durable` bytes are promised. */
function file(durable) {
  const model = new FileModel(0o644);
  model.settled(model.sent(0, bytes(durable)));
  return model;
}

describe('What may be in a file after a crash', () => {
  it('is, of each byte, the promised one or that of a later write, and nothing else', () => {
    const model = file('aaaaaa');
    model.sent(2, bytes('bb'));
    expect(model.offenceOfBytes(bytes('aaaaaa'))).toBeUndefined();
    expect(model.offenceOfBytes(bytes('aabbaa'))).toBeUndefined();
    expect(model.offenceOfBytes(bytes('abbaaa'))).toMatch(/1 bytes are neither/);
    expect(model.offenceOfBytes(bytes('aacaaa'))).toMatch(/first at 2/);
  });

  it('is never what a stable write has covered', () => {
    const model = file('aaaaaa');
    model.sent(0, bytes('bbbb'));
    model.settled(model.sent(1, bytes('cc')));
    expect(model.offenceOfBytes(bytes('bccbaa'))).toBeUndefined();
    expect(model.offenceOfBytes(bytes('bbccaa'))).toBeDefined();
    expect(model.offenceOfBytes(bytes('aaaaaa'))).toBeDefined();
  });

  it('is what COMMIT has promised', () => {
    const model = file('aa');
    const write = model.sent(1, bytes('bb'));
    model.committed([write]);
    expect(model.offenceOfBytes(bytes('aa'))).toBeDefined();
    expect(model.offenceOfBytes(bytes('abb'))).toBeUndefined();
    expect(model.offenceOfAttributes({ size: 2, mode: 0o644 })).toMatch(/size is 2, may be 3/);
  });

  it('is zero where only writes farther out were kept', () => {
    const model = file('aa');
    model.sent(2, bytes('bb'));
    model.sent(6, bytes('cc'));
    expect(model.offenceOfAttributes({ size: 8, mode: 0o644 })).toBeUndefined();
    expect(model.offenceOfAttributes({ size: 7, mode: 0o644 })).toBeDefined();
    expect(model.offenceOfBytes(bytes('aa\0\0\0\0cc'))).toBeUndefined();
    expect(model.offenceOfBytes(bytes('aabb\0xcc'))).toBeDefined();
  });

  it('is never what a truncation has taken away', () => {
    const model = file('aaaa');
    model.sent(2, bytes('bbbb'));
    model.truncated(3);
    model.truncated(6);
    expect(model.offenceOfBytes(bytes('aab\0\0\0'))).toBeUndefined();
    expect(model.offenceOfBytes(bytes('aabb\0\0'))).toBeDefined();
    expect(model.offenceOfBytes(bytes('aaaa\0\0'))).toBeDefined();
  });

  it('has the size and the mode from before or after a SETATTR that was not answered', () => {
    const model = file('aaaa');
    model.askedSize = 1;
    model.askedMode = 0o600;
    expect(model.offenceOfAttributes({ size: 1, mode: 0o600 })).toBeUndefined();
    expect(model.offenceOfAttributes({ size: 4, mode: 0o644 })).toBeUndefined();
    expect(model.offenceOfAttributes({ size: 2, mode: 0o644 })).toBeDefined();
    expect(model.offenceOfAttributes({ size: 4, mode: 0o640 })).toMatch(/mode is 640/);
  });
});

describe('The names of a worker', () => {
  const paths = (home) => Array.from(walk(home), ({ path, node }) => `${path}:${node.links ?? 'd'}`).sort();

  it('return to what they were when every change is undone, the last one first', () => {
    const [home, sub] = [new DirectoryModel(), new DirectoryModel()];
    const [one, two] = [new FileModel(0o644), new FileModel(0o644)];
    const states = [];
    const undos = [];
    const changes = [
      () => add(home, 'sub', sub),
      () => add(home, 'one', one),
      () => add(sub, 'two', two),
      () => addLink(sub, 'link', one),
      () => move(home, 'one', sub, 'link'),
      () => move(home, 'one', sub, 'two'),
      () => drop(sub, 'link'),
      () => move(home, 'sub', home, 'moved'),
    ];
    for (const change of changes) {
      states.push(paths(home));
      undos.push(change());
    }
    expect(paths(home)).toEqual(['moved/two:1', 'moved:d']);
    for (const state of states.reverse()) {
      undos.pop()();
      expect(paths(home)).toEqual(state);
    }
  });
});
