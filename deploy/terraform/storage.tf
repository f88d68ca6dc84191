# The archive. Nobody but the accounts in iam.tf and the project's owners reaches it: no access lists, and no way to open it to everybody by mistake.
resource "google_storage_bucket" "archive" {
  name                        = var.bucket
  location                    = var.location
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.destroy_archive

  # What is deleted can be had back for a week, a table's metadata too. Versions are not kept besides: Gadwall overwrites nothing but the hint that
  # names the newest metadata, and each swept answer of a query would stay.
  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  # Only raw files grow cold: of alerts/, runs/ and warehouse/ every harvest or query reads some.
  lifecycle_rule {
    condition {
      age            = var.raw_cold_after_days
      matches_prefix = ["raw/"]
      # Not upwards: a file that is in ARCHIVE already stays there.
      matches_storage_class = ["STANDARD", "NEARLINE"]
    }
    action {
      type          = "SetStorageClass"
      storage_class = "COLDLINE"
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.raw_delete_after_days > 0 ? [var.raw_delete_after_days] : []

    content {
      condition {
        age            = lifecycle_rule.value
        matches_prefix = ["raw/"]
      }
      action {
        type = "Delete"
      }
    }
  }

  # Gadwall removes a query's answers itself, and what stragglers leave a day later; this is for a control machine that is gone.
  lifecycle_rule {
    condition {
      age            = 2
      matches_prefix = ["queries/"]
    }
    action {
      type = "Delete"
    }
  }

  # Parts of an upload that was never finished are paid for and seen nowhere.
  lifecycle_rule {
    condition {
      age = 7
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  depends_on = [google_project_service.needed]
}

# What the machines install, uploaded by whoever sets this up. In a bucket of its own: nobody who writes archives can change the program.
resource "google_storage_bucket" "install" {
  name                        = "${var.bucket}-install"
  location                    = var.location
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  # It holds copies.
  force_destroy = true

  depends_on = [google_project_service.needed]
}
