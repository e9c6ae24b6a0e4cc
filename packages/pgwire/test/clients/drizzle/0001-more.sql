ALTER TYPE "public"."mood" ADD VALUE 'gone';--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "score" numeric(8, 2) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "users" ALTER COLUMN "name" SET DATA TYPE varchar(100);
