resource "google_artifact_registry_repository" "gadwall" {
  repository_id = "gadwall"
  location      = var.location
  format        = "DOCKER"
  description   = "Gadwall's image, for the nodes"

  docker_config {
    immutable_tags = true
  }

  depends_on = [google_project_service.needed]
}
