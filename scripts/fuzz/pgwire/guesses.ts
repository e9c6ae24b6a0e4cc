import { scramLogin, wire } from '@cluster/testkit'

const GUESSES = 400
const PASSWORD = 'right'

/** Wrong passwords in bulk: each is refused, late or at once, and the right one still comes in afterwards. */
export async function guesses(port: number, startup: Readonly<Record<string, string>>): Promise<string[]> {
  const { user = '', database = '' } = startup
  const login = async (password: string): Promise<string> => {
    const client = await wire.WireClient.connect(port)
    const lines = await scramLogin(client, { user, database, password })
    client.close()
    return lines.find((line) => line.startsWith('error')) ?? lines.at(-1) ?? ''
  }
  const start = performance.now()
  const answers = await Promise.all(Array.from({ length: GUESSES }, (_, i) => login(`guess ${i}`)))
  const wrong = answers.filter((line) => line.includes('28P01')).length
  const refused = answers.filter((line) => line.includes('53300')).length
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${GUESSES} wrong passwords: ${wrong} refused late, ${refused} at once, in ${seconds} s`)
  const problems: string[] = []
  if (wrong + refused < GUESSES) {
    const odd = answers.find((line) => !line.includes('28P01') && !line.includes('53300'))
    problems.push(`a wrong password was answered with ${odd}`)
  }
  const last = await login(PASSWORD)
  if (last !== 'ready I') problems.push(`the right password was answered with ${last}`)
  return problems
}

/** Gives the role the password that `guesses` knows to be right. */
export const rightPassword = (user: string): string => `ALTER ROLE ${user} PASSWORD '${PASSWORD}'`
