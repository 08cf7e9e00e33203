/** What the admin side logs through: the part of pino's interface that it uses. */
export interface AdminLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
