import type { Column, LogicalPlan } from './tree.ts'

export type {
  AggregateCall,
  AggregatePlan,
  DistinctPlan,
  FilterPlan,
  FunctionScanPlan,
  JoinPlan,
  JoinType,
  LimitPlan,
  LogicalPlan,
  Output,
  ProjectPlan,
  ScanColumn,
  ScanPlan,
  SetFunction,
  SetPlan,
  SortKey,
  SortPlan,
  ValuesPlan,
  VirtualScanPlan,
} from './tree.ts'

/** The position that stands for a row's own key in its relation, beside the positions of columns. */
export const ROW_KEY = -1

/** The columns that a plan gives, in order. */
export function columnsOf(plan: LogicalPlan): readonly Column[] {
  switch (plan.kind) {
    case 'scan':
    case 'virtualScan':
      return plan.columns.map(({ column }) => column)
    case 'functionScan':
      return [plan.column]
    case 'values':
    case 'set':
      return plan.columns
    case 'filter':
    case 'distinct':
    case 'sort':
    case 'limit':
      return columnsOf(plan.input)
    case 'project':
      return plan.outputs.map(({ column }) => column)
    case 'join':
      return plan.type === 'semi' || plan.type === 'anti'
        ? columnsOf(plan.left)
        : [...columnsOf(plan.left), ...columnsOf(plan.right)]
    case 'aggregate':
      return [...plan.groups, ...plan.calls].map(({ column }) => column)
  }
}
