/** What a command may touch, passed in so that tests run commands without a process. */
export interface CliIo {
  /** Writes as it is, no newline added. */
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths of the command line start at. */
  readonly cwd: string;
  /** Whether `stdout` is a terminal. */
  readonly isTerminal: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
