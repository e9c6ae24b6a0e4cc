export type * from './ast/common.ts'
export type * from './ast/literal.ts'
export type * from './ast/query.ts'
export type * from './ast/statement.ts'
