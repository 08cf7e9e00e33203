// Datasets of export rules: names that a dataset can have, whether there is one or not, and `*` for all.

import { DatasetError } from '../../datasets/datasets.ts';
import { checkDatasetName } from '../../datasets/names.ts';
import { ValueError, type ValueType, wrong } from './value-type.ts';

export const exportedDataset: ValueType<string> = {
  parse(raw) {
    if (typeof raw !== 'string') throw wrong('the name of a dataset, or "*"', raw);
    try {
      if (raw !== '*') checkDatasetName(raw);
    } catch (error) {
      if (error instanceof DatasetError)
        throw new ValueError(`must be names of datasets, or "*": ${error.message}`);
      throw error;
    }
    return raw;
  },
  print: (value) => JSON.stringify(value),
};
