/** The commands of the shell that start with a backslash. */
export interface MetaCommands {
  /** Runs `\name argument`. @returns what to print. @throws UNKNOWN_COMMAND */
  run(line: string): Promise<string>
}
