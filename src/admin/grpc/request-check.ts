// What every handler checks of a request.

import { DatasetError } from '../../datasets/datasets.ts';

/** Protocol Buffers cannot tell an absent text from an empty one. @throws DatasetError `invalid` */
export function given(text: string, what: string): string {
  if (text === '') throw invalid(`The ${what} is missing`);
  return text;
}

/** Of a dataset, where no snapshot can be meant: "there is no such dataset" would leave its reader to wonder. */
export function givenDataset(text: string, what = 'name'): string {
  const name = given(text, what);
  if (!name.includes('@')) return name;
  throw invalid(`${JSON.stringify(name)} names a snapshot, and here only a dataset can be meant`);
}

export function invalid(message: string): DatasetError {
  return new DatasetError('invalid', message);
}
