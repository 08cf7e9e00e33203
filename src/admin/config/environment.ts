// Environment variables in the values of the configuration: `${NAME}` is the variable's value, `$${` is a plain `${`.
// They are put in after the file is parsed, so that what a variable holds can never become another key.

import { ValueError } from './value-type.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\$\{|\$\{([^}]*)\}|\$\{/g;

/** @throws ValueError for a variable that is not set, and for a `${` that is none. */
export function withEnvironment(text: string, environment: Environment): string {
  return text.replace(REFERENCE, (reference, name: string | undefined) => {
    if (reference === '$${') return '${';
    if (name === undefined || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new ValueError(
        `has "${reference}", which names no environment variable; write $\${ where \${ itself is meant`,
      );
    }
    const value = environment[name];
    if (value === undefined) {
      throw new ValueError(`needs the environment variable ${name}, which is not set`);
    }
    return value;
  });
}
