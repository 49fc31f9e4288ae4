/** The process as the commands see it, so that tests can run them in-process. */
export interface Io {
  /** Results. */
  readonly stdout: TextSink;
  /** Progress and messages. */
  readonly stderr: TextSink;
  readonly stdin: NodeJS.ReadableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Exit codes of every command. */
export const ExitCode = {
  done: 0,
  /** Bad usage or bad input; one message was printed. */
  badInput: 1,
  /** A check said no: verify mismatch, regression, failed study. */
  checkFailed: 2,
  /** Interrupted; finished work is kept. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
