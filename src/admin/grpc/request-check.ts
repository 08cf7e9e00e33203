// What every handler checks of a request.

import { DatasetError } from '../../datasets/datasets.ts';

/** Protocol Buffers cannot tell an absent text from an empty one. @throws DatasetError `invalid` */
export function given(text: string, what: string): string {
  if (text === '') throw invalid(`The ${what} is missing`);
  return text;
}

export function invalid(message: string): DatasetError {
  return new DatasetError('invalid', message);
}
