export { drawTable, rowCountLine, type TableColumn } from './shell/table.ts'
