// JSON output: an object with `output_version`, whose keys never change their meaning within a major version.

const VERSION = { vers_major: 1, vers_minor: 0 } as const;

export function jsonOutput(command: string, content: object): string {
  return `${JSON.stringify({ output_version: { command, ...VERSION }, ...content }, undefined, 2)}\n`;
}
