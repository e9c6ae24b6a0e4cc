import type { Column, LogicalPlan } from './tree.ts'

export type {
  AggregateCall,
  AggregatePlan,
  CteScanPlan,
  CteTable,
  Frame,
  FrameEdge,
  FunctionScanPlan,
  GroupingSets,
  JoinPlan,
  JoinType,
  LateralPlan,
  LimitPlan,
  LogicalPlan,
  Output,
  ProjectPlan,
  RangeEdge,
  ScanColumn,
  ScanPlan,
  SetFunction,
  SetPlan,
  SortKey,
  SortPlan,
  ValuesPlan,
  VirtualScanPlan,
  WindowCall,
  WindowFunction,
  WindowPlan,
  WithPlan,
} from './tree.ts'

/** The position that stands for a row's own key in its relation, beside the positions of columns. */
export const ROW_KEY = -1

/** The columns that a plan gives, in order. */
export function columnsOf(plan: LogicalPlan): readonly Column[] {
  switch (plan.kind) {
    case 'scan':
    case 'virtualScan':
    case 'cteScan':
      return plan.columns.map(({ column }) => column)
    case 'functionScan':
      return plan.ordinality === null ? [plan.column] : [plan.column, plan.ordinality]
    case 'values':
    case 'set':
    case 'recursive':
      return plan.columns
    case 'filter':
    case 'distinct':
    case 'sort':
    case 'limit':
    case 'single':
    case 'with':
      return columnsOf(plan.input)
    case 'project':
      return plan.outputs.map(({ column }) => column)
    case 'join':
      return plan.type === 'semi' || plan.type === 'anti'
        ? columnsOf(plan.left)
        : [...columnsOf(plan.left), ...columnsOf(plan.right)]
    case 'lateral':
      return [...columnsOf(plan.left), ...columnsOf(plan.right)]
    case 'window':
      return [...columnsOf(plan.input), ...plan.calls.map(({ column }) => column)]
    case 'aggregate': {
      const columns = [...plan.groups, ...plan.calls].map(({ column }) => column)
      return plan.sets === null ? columns : [...columns, plan.sets.column]
    }
  }
}
