/** Rows that an import commits at once: well within what one transaction may hold. */
export const IMPORT_ROWS = 2_000
