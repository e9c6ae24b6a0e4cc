/** The number of the schema `public`. */
export const PUBLIC_OID = 2200
/** PostgreSQL's number of the role that stands for whoever owns the database. */
export const DATABASE_OWNER = 6171
/** The number of the database, as every client sees it. */
export const DATABASE_OID = 5
