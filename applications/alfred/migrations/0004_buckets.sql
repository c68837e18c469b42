-- The document's three buckets, and what users may do in each. No policy is a refusal: only the administrators of
-- 0003_access.sql reach system-backups, and nobody else updates or deletes anything.

INSERT INTO storage.buckets (id, name, public, file_size_limit, allowed_mime_types) VALUES
    ('agent-documents', 'Agent Documents', false, 10485760,
        ARRAY['application/pdf', 'text/plain', 'application/json']),
    ('user-uploads', 'User Uploads', true, 5242880,
        ARRAY['image/jpeg', 'image/png', 'application/pdf']),
    ('system-backups', 'System Backups', false, 104857600,
        ARRAY['application/gzip', 'application/zip', 'application/x-tar']);

CREATE POLICY public_buckets ON storage.buckets FOR SELECT TO anon, authenticated
    USING (public);
CREATE POLICY user_documents_bucket ON storage.buckets FOR SELECT TO authenticated
    USING (id = 'agent-documents');

-- The sub-select makes Postgres ask for the user once per statement and not once per row.
CREATE POLICY user_documents_select ON storage.objects FOR SELECT TO authenticated
    USING (bucket_id = 'agent-documents' AND owner = (SELECT auth.uid()));
CREATE POLICY user_documents_insert ON storage.objects FOR INSERT TO authenticated
    WITH CHECK (bucket_id = 'agent-documents' AND owner = (SELECT auth.uid()));

CREATE POLICY user_uploads_select ON storage.objects FOR SELECT TO anon, authenticated
    USING (bucket_id = 'user-uploads');
CREATE POLICY user_uploads_insert ON storage.objects FOR INSERT TO authenticated
    WITH CHECK (bucket_id = 'user-uploads' AND owner = (SELECT auth.uid()));
