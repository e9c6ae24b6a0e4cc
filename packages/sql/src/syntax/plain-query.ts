import type { Query, Select } from './ast.ts'

/** A SELECT of these items with nothing but a FROM list, as it is made where nobody wrote one. */
export const plainSelect = (parts: Pick<Select, 'items' | 'from' | 'span'> & Partial<Select>): Select => ({
  kind: 'select',
  distinct: 'all',
  distinctOn: [],
  where: null,
  groupBy: [],
  distinctGroups: false,
  having: null,
  windows: [],
  ...parts,
})

/** A query that has a body and nothing else. */
export const plainQuery = (body: Query['body'], { span }: Pick<Query, 'span'> = body): Query => ({
  kind: 'query',
  with: [],
  recursive: false,
  body,
  orderBy: [],
  limit: null,
  offset: null,
  withTies: false,
  locking: [],
  span,
})
