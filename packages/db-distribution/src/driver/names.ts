/** The name of the state machine in the log. */
export const MACHINE_NAME = 'databases'
