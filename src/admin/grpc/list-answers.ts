// Answers that are lists of thousands of messages: encoded some at a time, with turns for other clients in between. Ten
// thousand at once take 100 ms, in which no NFS call would be answered. That the parts may stand one behind the other is
// how protobuf defines a repeated field.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

/** Two milliseconds' worth. */
const MESSAGES_A_TURN = 256;

/** By method: the only field of its answer. */
const LISTS: Readonly<Record<string, string>> = { ListDatasets: 'datasets', ListSnapshots: 'snapshots' };

/** As the service, but what {@link encodedAnswer} has made of an answer goes out as it is. */
export function withEncodedLists(service: ServiceDefinition): ServiceDefinition {
  const lists = Object.keys(LISTS).map((method) => [method, takingBytes(service[method]!)]);
  return { ...service, ...Object.fromEntries(lists) };
}

/** The answer, or its bytes where it is a list. */
export async function encodedAnswer(
  service: ServiceDefinition,
  method: string,
  answer: object,
): Promise<object> {
  const field = LISTS[method];
  if (field === undefined) return answer;
  const messages = (answer as Readonly<Record<string, readonly object[]>>)[field]!;
  const parts: Buffer[] = [];
  for (let at = 0; at < messages.length; at += MESSAGES_A_TURN) {
    if (at > 0) await nextTurn();
    parts.push(service[method]!.responseSerialize({ [field]: messages.slice(at, at + MESSAGES_A_TURN) }));
  }
  return Buffer.concat(parts);
}

function takingBytes<Q, A>(method: MethodDefinition<Q, A>): MethodDefinition<Q, A> {
  const responseSerialize = (answer: A) =>
    Buffer.isBuffer(answer) ? answer : method.responseSerialize(answer);
  return { ...method, responseSerialize };
}
