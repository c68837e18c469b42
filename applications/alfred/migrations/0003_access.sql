-- Who may see and write what. A request is a SET ROLE by the login `authenticator`, with the claims of its token in the
-- setting request.jwt.claims.

CREATE SCHEMA auth;

-- The user of the request; NULL without claims, and then no policy that compares with it lets anything through.
CREATE FUNCTION auth.uid() RETURNS uuid
    LANGUAGE sql STABLE
    RETURN (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid;

GRANT USAGE ON SCHEMA auth, storage TO anon, authenticated, service_role, supabase_admin, supabase_storage_admin;

GRANT SELECT ON storage.buckets, storage.objects TO anon, authenticated;
GRANT INSERT ON storage.objects TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON storage.buckets, storage.objects
    TO service_role, supabase_admin, supabase_storage_admin;

ALTER TABLE storage.buckets ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.buckets FORCE ROW LEVEL SECURITY;
ALTER TABLE storage.objects ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.objects FORCE ROW LEVEL SECURITY;

-- Forced security binds the owner too, and with it the limits' trigger, migrations and pg_dump.
CREATE POLICY owner_access ON storage.buckets TO alfred_owner USING (true) WITH CHECK (true);
CREATE POLICY owner_access ON storage.objects TO alfred_owner USING (true) WITH CHECK (true);

-- supabase_storage_admin has no policy of its own yet: it reads and writes no row until a migration gives it one.
CREATE POLICY admin_access ON storage.buckets TO service_role, supabase_admin USING (true) WITH CHECK (true);
CREATE POLICY admin_access ON storage.objects TO service_role, supabase_admin USING (true) WITH CHECK (true);
