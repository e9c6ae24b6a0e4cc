import type { Value } from '@cluster/core'

/**
 * Writes the source of one JavaScript function, statement by statement. Whatever comes from users goes in as an
 * argument, under a made-up name; only numbers, booleans and NULL become literals. So no text of a statement is
 * ever part of the code.
 */
export class FunctionWriter {
  readonly #lines: string[] = []
  readonly #prelude: string[] = []
  readonly #hoisted = new Map<string, string>()
  readonly #names: string[] = []
  readonly #values: unknown[] = []
  readonly #known = new Map<unknown, string>()
  #counter = 0
  #indent = '  '

  /** A new variable name. */
  fresh(prefix = 'v'): string {
    return `${prefix}${this.#counter++}`
  }

  line(code: string): void {
    this.#lines.push(this.#indent + code)
  }

  /** Writes `head { … }`. */
  block(head: string, body: () => void): void {
    this.line(`${head} {`)
    const outer = this.#indent
    this.#indent += '  '
    body()
    this.#indent = outer
    this.line('}')
  }

  /** Declares a variable with a start value and gives its name. */
  declare(code: string, prefix?: string): string {
    const name = this.fresh(prefix)
    this.line(`let ${name} = ${code}`)
    return name
  }

  /** Evaluates `code` once, at the start of the function, and gives the variable's name. */
  hoist(code: string): string {
    const known = this.#hoisted.get(code)
    if (known !== undefined) return known
    const name = this.fresh('h')
    this.#hoisted.set(code, name)
    this.#prelude.push(`  const ${name} = ${code}`)
    return name
  }

  /** The name under which code reaches a JavaScript value: a function, an object, a text. */
  capture(value: unknown, prefix = 'k'): string {
    const known = this.#known.get(value)
    if (known !== undefined) return known
    const name = this.fresh(prefix)
    this.#known.set(value, name)
    this.#names.push(name)
    this.#values.push(value)
    return name
  }

  /** Code for a constant. */
  literal(value: Value): string {
    switch (typeof value) {
      case 'boolean':
        return String(value)
      case 'bigint':
        return value < 0n ? `(${value}n)` : `${value}n`
      case 'number':
        if (!Number.isFinite(value)) return this.capture(value)
        if (Object.is(value, -0)) return '(-0)'
        return value < 0 ? `(${value})` : String(value)
      default:
        return value === null ? 'null' : this.capture(value)
    }
  }

  /** The source so far, for tests and debugging. */
  source(): string {
    return [...this.#prelude, ...this.#lines].join('\n')
  }

  /** Makes the function. The caller vouches for the signature that `Fn` states. */
  build<Fn>(parameters: readonly string[]): Fn {
    // In parentheses, V8 compiles it at once rather than reading it twice: most functions run right away.
    const body = `"use strict"\nreturn (function (${parameters.join(', ')}) {\n${this.source()}\n})`
    const make = new Function(...this.#names, body) as (...values: readonly unknown[]) => Fn
    return make(...this.#values)
  }
}
