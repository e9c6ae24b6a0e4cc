export { type ShownResult, shownResult } from './shell/output.ts'
export { drawTable, rowCountLine, type TableColumn } from './shell/table.ts'
