# One account for the nodes, one for the control machine. Neither has a key: the machines get tokens from their metadata server.
resource "google_service_account" "node" {
  account_id   = "gadwall-node"
  display_name = "Gadwall: nodes"

  depends_on = [google_project_service.needed]
}

resource "google_service_account" "control" {
  account_id   = "gadwall-control"
  display_name = "Gadwall: control machine"

  depends_on = [google_project_service.needed]
}

locals {
  # Where a node writes and reads, each below the bucket's root. The last is the table's data path.
  node_prefixes = ["alerts/", "raw/", "runs/", "queries/", "warehouse/"]
}

# To make objects and read them, to send a large one in parts and give that up. No delete, and so no overwriting either: on Google Cloud that
# takes the right to delete. No list.
resource "google_project_iam_custom_role" "node_objects" {
  role_id     = "gadwallNodeObjects"
  title       = "Gadwall: a node's objects"
  description = "Make and read objects whose names are known; no delete, no list."
  permissions = [
    "storage.objects.create",
    "storage.objects.get",
    "storage.multipartUploads.create",
    "storage.multipartUploads.abort",
    "storage.multipartUploads.listParts",
  ]

  depends_on = [google_project_service.needed]
}

# Uploads are listed of a bucket, and not of an object: a condition on objects' names would never be true of it.
resource "google_project_iam_custom_role" "node_uploads" {
  role_id     = "gadwallNodeUploads"
  title       = "Gadwall: a node's unfinished uploads"
  description = "See which uploads in parts are unfinished."
  permissions = ["storage.multipartUploads.list"]

  depends_on = [google_project_service.needed]
}

resource "google_storage_bucket_iam_member" "node_objects" {
  bucket = google_storage_bucket.archive.name
  role   = google_project_iam_custom_role.node_objects.id
  member = google_service_account.node.member

  condition {
    title      = "gadwall-prefixes"
    expression = join(" || ", [for prefix in local.node_prefixes : "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.archive.name}/objects/${prefix}\")"])
  }
}

resource "google_storage_bucket_iam_member" "node_uploads" {
  bucket = google_storage_bucket.archive.name
  role   = google_project_iam_custom_role.node_uploads.id
  member = google_service_account.node.member
}

resource "google_storage_bucket_iam_member" "control" {
  bucket = google_storage_bucket.archive.name
  role   = "roles/storage.objectAdmin"
  member = google_service_account.control.member
}

# The program to install: this role is storage.objects.get, and nothing else.
resource "google_storage_bucket_iam_member" "install" {
  for_each = { node = google_service_account.node.member, control = google_service_account.control.member }

  bucket = google_storage_bucket.install.name
  role   = "roles/storage.legacyObjectReader"
  member = each.value
}

resource "google_artifact_registry_repository_iam_member" "node" {
  location   = google_artifact_registry_repository.gadwall.location
  repository = google_artifact_registry_repository.gadwall.name
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.node.member
}

# What nodes need to join: made by the control machine at its first boot. Terraform makes the secrets and never sees what is in them, so its state,
# which is a plain file, has nothing to hide; nor have the instances' metadata.
resource "google_secret_manager_secret" "join" {
  for_each = toset(["gadwall-nats-token", "gadwall-nats-certificate"])

  secret_id = each.key

  replication {
    auto {}
  }

  depends_on = [google_project_service.needed]
}

resource "google_secret_manager_secret_iam_member" "node_reads" {
  for_each = google_secret_manager_secret.join

  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.node.member
}

resource "google_secret_manager_secret_iam_member" "control_reads" {
  for_each = google_secret_manager_secret.join

  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.control.member
}

resource "google_secret_manager_secret_iam_member" "control_adds" {
  for_each = google_secret_manager_secret.join

  secret_id = each.value.id
  role      = "roles/secretmanager.secretVersionAdder"
  member    = google_service_account.control.member
}
