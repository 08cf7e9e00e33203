// A histogram of prom-client whose buckets are counted elsewhere.

import { Histogram } from 'prom-client';

export interface BucketSample {
  readonly labels: Readonly<Record<string, string>>;
  /** Upper bounds, ascending; what is above the last one is counted in `count` only. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  readonly count: number;
  readonly sum: number;
}

export interface BucketHistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly samples: () => readonly BucketSample[];
}

export class BucketHistogram extends Histogram {
  readonly #options: BucketHistogramOptions;

  constructor(options: BucketHistogramOptions) {
    const { name, help, labelNames } = options;
    super({ name, help, labelNames, registers: [] });
    this.#options = options;
  }

  /** What the registry prints, and `get` gives to others. */
  async getForPromString() {
    const { name, help, samples } = this.#options;
    const values = samples().flatMap((sample) => this.#values(sample));
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }

  #values({ labels, buckets, count, sum }: BucketSample) {
    const { name } = this.#options;
    const bucket = (le: string | number, value: number) => ({
      metricName: `${name}_bucket`,
      labels: { le, ...labels },
      value,
    });
    return [
      ...buckets.map((each) => bucket(each.le, each.count)),
      bucket('+Inf', count),
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
